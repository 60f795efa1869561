"""When a start of a study must end (`--time-limit`), and what can still report before that."""

import time
from collections import deque

from search.records import Epoch, Started

_RECENT = 16  # epochs that say how fast this machine trains
_MARGIN = 15.0  # seconds to save checkpoints, stop workers and write the tables
_EARLIER = 2.0  # workers begin to save by so much, lest the last turn ends just before


class Deadline:
    """The end of the time there is.

    Args:
        seconds: from now on, all of it: a little is kept back to end in order.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + max(seconds - _MARGIN, seconds / 2)
        self._pace: deque[float] = deque(maxlen=_RECENT)  # seconds for each multiply-add

    @property
    def over(self) -> bool:
        """Whether what runs should save itself and stop."""
        return self._left() <= 0

    @property
    def save_from(self) -> float:
        """From when on workers save after each turn; seconds since 1970."""
        return time.time() + self._left() - _EARLIER

    def note(self, started: Started, epoch: Epoch) -> None:
        """Learn from an epoch of this study how long others will take."""
        self._pace.append(epoch.seconds / started.macs)

    def allows(self, started: Started) -> bool:
        """Whether a trial can report an epoch in time, as far as is known."""
        # The slowest of late: what is started in vain has cost what another could have used.
        return self._left() > max(self._pace, default=0.0) * started.macs

    def _left(self) -> float:
        return self._end - time.monotonic()
