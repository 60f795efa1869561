"""Handles trials that the infrastructure lost: they run again, but not for ever.

A worker, a node or a file that fails says nothing about the network. But a network may itself
kill its workers: one that is lost again and again, without progress, counts as failed.
"""

import errno
from collections.abc import Collection

from search.schema.yaml import ConfigError
from search.study.events import RETRIED, Ended, Lost, Status
from search.study.history import History

RETRIES = 3  # in a row, without a new epoch in between
_MOST = 2 * RETRIES  # in a row, regardless of the progress of other trials


def lost_once_more(
    history: History, trial: int, reason: str, status: Status = Status.FAILED, *, now: float
) -> tuple[Lost | Ended, int]:
    """The record for a loss of a running trial, and how often it was lost in a row.

    Args:
        history: history of the study.
        trial: the trial that was lost.
        reason: reason in words.
        status: with which it ends if it was lost too often.
        now: time in seconds, for the record.
    """
    times = history.losses(trial) + 1
    if times <= RETRIES:
        return Lost(trial=trial, reason=reason, times=times, time=now), times
    ended = Ended(
        trial=trial,
        status=status,
        reason=f"lost {times} times without an epoch in between; the last time: {reason}",
        epochs=history.epochs(trial),
        seconds=history.seconds(trial),
        time=now,
    )
    return ended, times


class Suspects:
    """Trials that were lost too often while no other made progress.

    If another trial makes progress, the fault was theirs, and they have failed. If another
    trial is lost as often, the fault is the machine's.
    """

    def __init__(self) -> None:
        self._ends: dict[int, Ended] = {}
        self._epochs = 0  # number of epochs that any trial reported
        self._since: dict[int, int] = {}  # that number at a trial's first loss in a row

    def __contains__(self, trial: int) -> bool:
        return trial in self._ends

    def __len__(self) -> int:
        return len(self._ends)

    def lost(self, record: Lost | Ended, times: int) -> bool:
        """Take a loss; return whether its record holds, else its trial becomes a suspect.

        Args:
            record: from `lost_once_more`.
            times: how often the trial was lost in a row.

        Raises:
            OSError: another trial is a suspect already: the fault is the machine's.
        """
        since = self._since.setdefault(record.trial, self._epochs)
        if isinstance(record, Lost) or self._epochs > since or times > _MOST:
            return True
        if self._ends:
            raise OSError(
                errno.EIO,
                "no trial makes progress on this machine or cluster: trials "
                f"{min(self._ends)} and {record.trial} were lost {times} times each "
                f"({record.reason}); fix this, and give the same command again",
            )
        self._ends[record.trial] = record
        return False

    def further(self, trial: int) -> list[Ended]:
        """Note that a trial reported a new epoch; return the end records of all suspects."""
        self._epochs += 1
        self._since.pop(trial, None)
        return self.cleared()

    def cleared(self) -> list[Ended]:
        """The end records of all suspects, of which there are then none left."""
        ends = list(self._ends.values())
        self._ends.clear()
        return ends


def keeps_checkpoint(history: History, trial: int) -> bool:
    """Whether the checkpoint of a trial is kept: it is live, or failed as lost too often.

    The latter may be resumed by `--retry failed`.
    """
    if trial in history.live:
        return True
    return history.failed(trial) and history.losses(trial) >= RETRIES


def retried_statuses(names: Collection[str]) -> tuple[Status, ...]:
    """The statuses that the user asked to retry: their names, or the name of one.

    Raises:
        ConfigError: one is not a status, or another try would end the same way.
    """
    names = [names] if isinstance(names, str) else names
    other = [name for name in names if name not in RETRIED]
    if other:
        raise ConfigError(
            f"retry: {', '.join(map(repr, other))}: only trials that ended as "
            f"{' or '.join(RETRIED)} are tried again; any other would end as it did"
        )
    return tuple(map(Status, names))
