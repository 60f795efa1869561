"""What becomes of a trial that the infrastructure lost: it is run again, but not for ever.

A worker, a node or a file that fails says nothing of the network. But a network may be what
kills its workers: so one that is lost again and again, and gets no further, has failed.
"""

import errno
from collections.abc import Collection

from search.schema.yaml import ConfigError
from search.study.events import Ended, Lost, Status
from search.study.history import History

RETRIES = 3  # in a row, without a new epoch in between
_MOST = 2 * RETRIES  # whatever became of other trials
RETRIED = (Status.FAILED, Status.OUT_OF_MEMORY)  # what may be tried again when a person asks


def lost_once_more(
    history: History, trial: int, reason: str, status: Status = Status.FAILED, *, now: float
) -> tuple[Lost | Ended, int]:
    """What a loss of a running trial means, and how often it was lost in a row.

    Args:
        history: of the study.
        trial: that was lost.
        reason: in words.
        status: how it ends where it was lost too often.
        now: in seconds, as records bear times.
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
    """Trials that were lost too often while no other got further: is it them, or the machine?

    Where another trial gets further, it was them, and they have failed. Where another one is
    lost as often, it is the machine.
    """

    def __init__(self) -> None:
        self._ends: dict[int, Ended] = {}
        self._epochs = 0  # that any trial reported
        self._since: dict[int, int] = {}  # these, at the first loss of a trial in a row

    def __contains__(self, trial: int) -> bool:
        return trial in self._ends

    def __len__(self) -> int:
        return len(self._ends)

    def lost(self, record: Lost | Ended, times: int) -> bool:
        """Take what a loss would mean; whether that is so, else its trial is under suspicion.

        Args:
            record: from `lost_once_more`.
            times: that the trial was lost in a row.

        Raises:
            OSError: another trial is under suspicion: it is the machine.
        """
        since = self._since.setdefault(record.trial, self._epochs)
        if isinstance(record, Lost) or self._epochs > since or times > _MOST:
            return True
        if self._ends:
            raise OSError(
                errno.EIO,
                f"no trial gets further on this machine or cluster: trials {min(self._ends)} "
                f"and {record.trial} were lost {times} times each ({record.reason}); mend it, "
                "and give the same command again",
            )
        self._ends[record.trial] = record
        return False

    def further(self, trial: int) -> list[Ended]:
        """Note that a trial reported a new epoch; the ends of those under suspicion."""
        self._epochs += 1
        self._since.pop(trial, None)
        return self.cleared()

    def cleared(self) -> list[Ended]:
        """The ends of all that are under suspicion, which they are no more."""
        ends = list(self._ends.values())
        self._ends.clear()
        return ends


def keeps_checkpoint(history: History, trial: int) -> bool:
    """Whether the checkpoint of a trial is kept: it is under way, or was lost too often.

    The latter has failed, but `--retry failed` may take it up again.
    """
    return trial in history.live or history.losses(trial) >= RETRIES


def retried_statuses(names: Collection[str]) -> tuple[Status, ...]:
    """The statuses that a person asked to try again: their names, or the name of one.

    Raises:
        ConfigError: one of them is none, or another try would end the same.
    """
    names = [names] if isinstance(names, str) else names
    other = [name for name in names if name not in RETRIED]
    if other:
        raise ConfigError(
            f"retry: {', '.join(map(repr, other))}: only trials that ended as "
            f"{' or '.join(RETRIED)} are tried again; any other would end as it did"
        )
    return tuple(map(Status, names))
