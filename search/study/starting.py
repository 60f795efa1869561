"""Makes the start record of a trial: all that its result may depend on."""

import time

from res2net import Architecture
from res2net.cost import Cost
from search.schema.metrics import counted_by
from search.schema.seeds import seed_of
from search.schema.study_plan import StudyPlan
from search.study.events import Phase, Started, architecture_to_json


def start_of_trial(
    plan: StudyPlan,
    architecture: Architecture,
    counted: Cost,
    *,
    number: int,
    phase: Phase,
    repeat: int,
) -> Started:
    """The start of a trial.

    Args:
        plan: of the study.
        architecture: of the network.
        counted: its cost, for one image of the study's size.
        number: of the trial.
        phase: search or confirm.
        repeat: of this network in this phase, counted from 0.
    """
    return Started(
        trial=number,
        phase=phase,
        name=architecture.name,
        architecture=architecture_to_json(architecture),
        seed=trial_seed(plan.search.seed, phase, repeat),
        epochs=plan.epochs(phase),
        threads=plan.resources.cpu,
        params=counted.params,
        macs=counted.macs,
        activations=counted.activations,
        time=time.time(),
        repeat=repeat,
        counted={
            one.name: counted_by(one, architecture, counted)
            for one in plan.objectives
            if one.counter is not None
        },
    )


def trial_seed(study_seed: int, phase: Phase, repeat: int) -> int:
    """Networks share a seed, repeat by repeat: images in one order are less to differ by."""
    return seed_of(study_seed, phase, repeat)
