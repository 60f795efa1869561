"""What was measured of a study's networks, and what that refuses. No torch here."""

from search.schema.study_plan import StudyPlan
from search.study.events import Ended, Measured, Record, Started, Status
from search.study.first_rung import FirstRung
from search.study.history import History


class Measurements:
    """Looks measurements up by network, holds them against the budget and the first rung.

    Args:
        plan: of the study.
        history: what has happened.
    """

    def __init__(self, plan: StudyPlan, history: History) -> None:
        self._history = history
        self._limits = plan.budget.measured()
        self._first_rung = FirstRung(plan.zero_cost)

    def of(self, started: Started) -> list[Measured]:
        """What was measured of a trial's network so far, on whatever device."""
        return self._history.measured_of.get(started.network().name, [])

    def note(self, record: Record) -> None:
        """Take the next record of the journal, which the history has noted."""
        if isinstance(record, Measured) and self._is_first(record):
            self._first_rung.note(self._history.trials[record.trial], record)

    def rejected(self, measured: Measured, *, now: float) -> Ended | None:
        """The end of a trial whose network is not to be trained; None where it is.

        It is outside the budget, or not among the best by a score. A network is judged before
        the first epoch of its first trials: other seeds, and its confirmation, never lose it to
        another device or a slower moment.

        Args:
            measured: of its network; it was noted.
            now: in seconds, as records bear times.
        """
        trial = measured.trial
        reasons = [
            limits.broken(measured.values[limits.objective.name]) for limits in self._limits
        ]
        reasons.append(self._first_rung.reason(trial))
        if not self._is_first(measured) or not any(reasons):
            return None
        return Ended(
            trial=trial,
            status=Status.REJECTED,
            reason=", ".join(filter(None, reasons)),
            device=measured.place["device"],
            time=now,
        )

    def _is_first(self, measured: Measured) -> bool:
        """Whether it was measured before the first epoch of a network's first trial."""
        trial, history = measured.trial, self._history
        return history.trials[trial].is_try and not history.epochs(trial)
