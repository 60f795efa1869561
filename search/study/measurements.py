"""The measurements of a study's networks, and which networks they reject. No torch here."""

from search.schema.study_plan import StudyPlan
from search.study.events import Ended, Measured, Record, Started, Status
from search.study.first_rung import FirstRung
from search.study.history import History


class Measurements:
    """Looks measurements up by network, and checks them against budget and first rung.

    Args:
        plan: plan of the study.
        history: history of the study.
    """

    def __init__(self, plan: StudyPlan, history: History) -> None:
        self._history = history
        self._limits = plan.budget.measured()
        self._first_rung = FirstRung(plan.zero_cost)

    def of(self, started: Started) -> list[Measured]:
        """All measurements of a trial's network so far, on any device."""
        return self._history.measured_of.get(started.network().name, [])

    def note(self, record: Record) -> None:
        """Take the next record of the journal, after the history has noted it."""
        if isinstance(record, Measured) and self._is_first(record):
            self._first_rung.note(self._history.trials[record.trial], record)

    def rejected(self, measured: Measured, *, now: float) -> Ended | None:
        """The end of a trial whose network is rejected; None where it is to be trained.

        A network is rejected if it is outside the budget, or its score is not among the best.
        That is decided before the first epoch of its first trials: other seeds and
        confirmations are never rejected because of another device or a slower moment.

        Args:
            measured: measurement of its network; it was noted.
            now: time in seconds, for the record.
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
