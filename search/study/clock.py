"""The clock that records bear the times of; a replay brings its own."""

import time


def wall_clock() -> float:
    """Seconds since 1970, as the machine has them now."""
    return time.time()
