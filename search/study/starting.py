"""Makes the start records of trials, which hold all that their results may depend on."""

from collections.abc import Callable

from res2net import Architecture
from res2net.receptive import effective_depth
from search.schema.metrics import counted_by
from search.schema.seeds import seed_of
from search.schema.study_plan import StudyPlan
from search.space.configuration import Configuration, architecture_to_json
from search.space.survey import Survey
from search.study.clock import wall_clock
from search.study.events import Phase, Started
from search.study.history import History


class Starts:
    """Makes the start record of each trial of a study.

    Args:
        plan: plan of the study.
        survey: the candidates inside the budget.
        history: gives numbers that no trial has used.
        clock: gives the time when a trial starts, in seconds.
    """

    def __init__(
        self,
        plan: StudyPlan,
        survey: Survey,
        history: History,
        *,
        clock: Callable[[], float] = wall_clock,
    ) -> None:
        self._plan, self._survey, self._history = plan, survey, history
        self._clock = clock
        self._counted = [one for one in plan.objectives if one.counter is not None]

    def start(self, phase: Phase, configuration: Configuration, repeat: int = 0) -> Started:
        """The start record of a trial.

        Args:
            phase: search or confirm.
            configuration: network and settings.
            repeat: number of the repeat of this network in this phase, counted from 0.
        """
        plan, (name, architecture, settings, tuned, tried) = self._plan, configuration
        candidate = self._survey.candidate(architecture, settings)
        assert candidate is not None, "only candidates are proposed"
        counted = self._survey.cost(candidate)
        own = {**settings, **self._derived(architecture)}
        epochs = {**own, **tuned}.get("epochs") if phase == "search" else None
        return Started(
            trial=self._history.next_number(),
            phase=phase,
            name=name,
            architecture=architecture_to_json(architecture),
            seed=trial_seed(plan.search.seed, phase, repeat),
            epochs=plan.epochs(phase) if epochs is None else int(epochs),
            threads=plan.resources.cpu,
            params=counted.params,
            macs=counted.macs,
            activations=counted.activations,
            time=self._clock(),
            repeat=repeat,
            counted=self._survey.model(candidate)
            | {one.name: counted_by(one, architecture, counted) for one in self._counted},
            settings=own,
            tuned=dict(tuned),
            tried=tried,
        )

    def _derived(self, architecture: Architecture) -> dict[str, float]:
        """Settings that follow from the network."""
        rule = self._plan.lr_rule
        return {"lr": rule.rate(effective_depth(architecture))} if rule else {}


def trial_seed(study_seed: int, phase: Phase, repeat: int) -> int:
    """The seed of a repeat, shared by all networks: the same order of images reduces noise."""
    return seed_of(study_seed, phase, repeat)
