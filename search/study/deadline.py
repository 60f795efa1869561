"""The deadline of a start (`--time-limit`), and which trials can still report before it."""

import math
import time
from collections import deque

from search.schema.yaml import ConfigError
from search.study.events import Epoch, Started

_RECENT = 16  # recent epochs from which the training speed is estimated
_MARGIN = 15.0  # seconds to save checkpoints, stop workers and write the tables
_EARLIER = 2.0  # seconds that workers begin to save earlier, in case a turn ends too late


class TimeUpError(ConfigError):
    """The time limit is over before anything could start; the same command goes on."""


class Deadline:
    """The deadline of a start.

    Args:
        seconds: time from now on; a little of it is reserved for an orderly end.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + max(seconds - _MARGIN, seconds / 2)
        self._recent: deque[tuple[int, float]] = deque(maxlen=_RECENT)  # MACs and seconds

    @property
    def over(self) -> bool:
        """Whether running trials should save and stop."""
        return self.left <= 0

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self._end - time.monotonic()

    @property
    def save_from(self) -> float:
        """When workers begin to save after each turn; in seconds since 1970, to share it."""
        return time.time() + self.left - _EARLIER

    def note(self, started: Started, epoch: Epoch) -> None:
        """Learn from an epoch of this study how long others will take."""
        self._recent.append((started.macs, epoch.seconds))

    def allows(self, started: Started) -> bool:
        """Whether a trial is expected to report an epoch in time."""
        return self.left > self._expected(started.macs)

    def _expected(self, macs: int) -> float:
        """Expected seconds of an epoch: those of the network nearest in size, recently trained.

        They are scaled up for a larger network, but not down for a smaller one: the time of
        small networks is not mainly arithmetic.
        """
        guesses = [
            (abs(math.log(macs / known)), -seconds, seconds * max(1.0, macs / known))
            for known, seconds in self._recent
        ]
        return min(guesses)[2] if guesses else 0.0
