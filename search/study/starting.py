"""Makes the start records of trials: all that their results may depend on."""

from collections.abc import Callable

from res2net import Architecture
from search.schema.metrics import counted_by
from search.schema.seeds import seed_of
from search.schema.study_plan import StudyPlan
from search.space.survey import Survey
from search.study.clock import wall_clock
from search.study.events import Phase, Started, architecture_to_json
from search.study.history import History


class Starts:
    """Makes the start of each trial of a study.

    Args:
        plan: of the study.
        survey: the candidates inside the budget.
        history: gives numbers that no trial has had.
        clock: tells when a trial starts, in seconds.
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

    def start(self, phase: Phase, architecture: Architecture, repeat: int = 0) -> Started:
        """The start of a trial.

        Args:
            phase: search or confirm.
            architecture: of the network.
            repeat: of this network in this phase, counted from 0.
        """
        plan = self._plan
        candidate = self._survey.candidate(architecture)
        assert candidate is not None, "only candidates are proposed"
        counted = self._survey.cost(candidate)
        return Started(
            trial=self._history.next_number(),
            phase=phase,
            name=architecture.name,
            architecture=architecture_to_json(architecture),
            seed=trial_seed(plan.search.seed, phase, repeat),
            epochs=plan.epochs(phase),
            threads=plan.resources.cpu,
            params=counted.params,
            macs=counted.macs,
            activations=counted.activations,
            time=self._clock(),
            repeat=repeat,
            counted={one.name: counted_by(one, architecture, counted) for one in self._counted},
        )


def trial_seed(study_seed: int, phase: Phase, repeat: int) -> int:
    """Networks share a seed, repeat by repeat: images in one order are less to differ by."""
    return seed_of(study_seed, phase, repeat)
