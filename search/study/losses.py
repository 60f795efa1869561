"""What becomes of a trial that the infrastructure lost: it is run again, but not for ever.

A worker, a node or a file that fails says nothing of the network. But a network may be what
kills its workers: so one that is lost again and again, and gets no further, has failed.
"""

import time
from collections.abc import Collection

from search.schema.yaml import ConfigError
from search.study.events import Ended, Lost, Status
from search.study.history import History

RETRIES = 3  # in a row, without a new epoch in between
RETRIED = (Status.FAILED, Status.OUT_OF_MEMORY)  # what may be tried again when a person asks


def lost_once_more(
    history: History, trial: int, reason: str, status: Status = Status.FAILED
) -> Lost | Ended:
    """What to write down of a running trial that was lost.

    Args:
        history: of the study.
        trial: that was lost.
        reason: in words.
        status: how it ends where it was lost too often.
    """
    times, now = history.losses(trial) + 1, time.time()
    if times <= RETRIES:
        return Lost(trial=trial, reason=reason, times=times, time=now)
    return Ended(
        trial=trial,
        status=status,
        reason=f"lost {times} times without an epoch in between; the last time: {reason}",
        epochs=history.epochs(trial),
        seconds=history.seconds(trial),
        time=now,
    )


def keeps_checkpoint(history: History, trial: int) -> bool:
    """Whether the checkpoint of a trial is kept: it is under way, or was lost too often.

    The latter has failed, but `--retry failed` may take it up again.
    """
    return trial in history.live or history.losses(trial) >= RETRIES


def retried_statuses(names: Collection[str]) -> tuple[Status, ...]:
    """The statuses that a person asked to try again.

    Raises:
        ConfigError: one of them is none, or another try would end the same.
    """
    other = [name for name in names if name not in RETRIED]
    if other:
        raise ConfigError(
            f"retry: {', '.join(map(repr, other))}: only trials that ended as "
            f"{' or '.join(RETRIED)} are tried again; any other would end as it did"
        )
    return tuple(map(Status, names))
