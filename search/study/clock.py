"""The clock from which records get their times; a replay uses its own."""

import time


def wall_clock() -> float:
    """Seconds since 1970, by this machine's clock."""
    return time.time()
