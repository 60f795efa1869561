"""What was measured of a study's networks, and what the budget refuses. No torch here."""

from search.schema.study_plan import StudyPlan
from search.study.events import Ended, Measured, Started, Status
from search.study.history import History


class Measurements:
    """Looks measurements up by network, and holds them against the budget.

    Args:
        plan: of the study.
        history: what has happened.
    """

    def __init__(self, plan: StudyPlan, history: History) -> None:
        self._history = history
        self._limits = plan.budget.measured()

    def of(self, started: Started) -> list[Measured]:
        """What was measured of a trial's network so far, on whatever device."""
        return self._history.measured_of.get(started.network().name, [])

    def rejected(self, measured: Measured, *, now: float) -> Ended | None:
        """The end of a trial whose network is outside the budget; None where it is inside.

        A network is judged before the first epoch of its first trials: other seeds, and
        its confirmation, never lose it to another device or a slower moment.

        Args:
            measured: of its network.
            now: in seconds, as records bear times.
        """
        trial, history = measured.trial, self._history
        first = history.trials[trial].is_try
        broken = [
            limits.broken(measured.values[limits.objective.name]) for limits in self._limits
        ]
        if not first or history.epochs(trial) or not any(broken):
            return None
        return Ended(
            trial=trial,
            status=Status.REJECTED,
            reason=", ".join(filter(None, broken)),
            device=measured.place["device"],
            time=now,
        )
