"""Checks that the records of a journal follow from each other, trial by trial.

A trial starts once, reports its epochs as 1, 2, 3 and so on, and ends once. If it ended `ok`,
it reported all epochs that its start plans; if `pruned`, those that its end gives; if
`rejected`, none. A failed trial may be retried, and continues after the epochs that it had
reported.
"""

from typing import Any

from search.schema.wording import how_many
from search.study.events import SOUND, Ended, Epoch, Known, Retried, Started, Status


class OrderError(ValueError):
    """A record that does not follow from those before it.

    Attributes:
        trial: number of its trial.
    """

    def __init__(self, trial: int, problem: str) -> None:
        super().__init__(f"trial {trial} {problem}")
        self.trial = trial


class Order:
    """The state of each trial so far."""

    def __init__(self) -> None:
        self._planned: dict[int, int] = {}  # planned epochs of every started trial
        self._reported: dict[int, int] = {}  # reported epochs of the trials that have not ended
        self._failed: dict[int, int] = {}  # reported epochs of those that ended without success

    def take(self, record: Any) -> None:
        """Take the next record, of any kind.

        Raises:
            OrderError: it does not follow.
        """
        if isinstance(record, Epoch):
            self.take_epoch(record.trial, record.epoch)
        elif isinstance(record, Started):
            self._start(record)
        elif isinstance(record, Retried):
            self._retry(record.trial)
        elif isinstance(record, Known):
            self._know(record)
        else:
            self._require_live(record.trial, _verb(record))
            if isinstance(record, Ended):
                self._end(record)

    def take_epoch(self, trial: int, epoch: int) -> None:
        """Take an epoch, as `take` does, for a reader that parses no more of it."""
        if self._reported.get(trial) != epoch - 1:
            self._require_live(trial, f"reports epoch {epoch}")
            before = self._reported[trial]
            raise OrderError(trial, f"reports epoch {epoch} after {before or 'no other'}")
        self._reported[trial] = epoch

    def _start(self, started: Started) -> None:
        if started.trial in self._planned:
            raise OrderError(started.trial, "starts twice")
        self._planned[started.trial] = started.epochs
        self._reported[started.trial] = 0

    def _end(self, ended: Ended) -> None:
        trial, status = ended.trial, ended.status
        reported, planned = self._reported.pop(trial), self._planned[trial]
        if status is Status.OK and reported != planned:
            raise OrderError(trial, f"ends as ok after {reported} of {planned} epochs")
        if status in (Status.OK, Status.PRUNED) and ended.epochs != reported:
            raise OrderError(
                trial,
                f"ends as {status} after {how_many(ended.epochs, 'epoch')}, of which "
                f"{reported} are reported",
            )
        if status is Status.PRUNED and not reported:
            raise OrderError(trial, "ends as pruned before its first epoch")
        if status is Status.REJECTED and reported:
            raise OrderError(trial, f"ends as rejected after {reported} epochs")

        if status not in SOUND:
            self._failed[trial] = reported

    def _know(self, known: Known) -> None:
        if self._planned:
            raise OrderError(known.trial, "of another run comes after the first of this one")

    def _retry(self, trial: int) -> None:
        if trial not in self._failed:
            raise OrderError(trial, "is tried again and had not failed")
        self._reported[trial] = self._failed.pop(trial)

    def _require_live(self, trial: int, does: str) -> None:
        if trial not in self._reported:
            why = "has ended" if trial in self._planned else "never started"
            raise OrderError(trial, f"{does} and {why}")


def _verb(record: Any) -> str:
    return "ends" if isinstance(record, Ended) else f"has a record {record.event!r}"
