"""The deadline of a start (`--time-limit`): what can still report before it."""

import math
import time
from collections import deque

from search.study.events import Epoch, Started

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
        self._recent: deque[tuple[int, float]] = deque(maxlen=_RECENT)  # MACs and seconds

    @property
    def over(self) -> bool:
        """Whether what runs should save itself and stop."""
        return self.left <= 0

    @property
    def left(self) -> float:
        """Seconds until then."""
        return self._end - time.monotonic()

    @property
    def save_from(self) -> float:
        """From when on workers save after each turn; seconds since 1970, as clocks agree on."""
        return time.time() + self.left - _EARLIER

    def note(self, started: Started, epoch: Epoch) -> None:
        """Learn from an epoch of this study how long others will take."""
        self._recent.append((started.macs, epoch.seconds))

    def allows(self, started: Started) -> bool:
        """Whether a trial can report an epoch in time, as far as is known."""
        return self.left > self._expected(started.macs)

    def _expected(self, macs: int) -> float:
        """Seconds of an epoch: those of the nearest network of late, more for a larger one.

        Nothing is taken off for a smaller one: what small networks cost is not arithmetic.
        """
        guesses = [
            (abs(math.log(macs / known)), -seconds, seconds * max(1.0, macs / known))
            for known, seconds in self._recent
        ]
        return min(guesses)[2] if guesses else 0.0
