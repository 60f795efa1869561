"""Types of an estimate: what was timed, and what follows from it. No torch here."""

from typing import NamedTuple


class RehearsalError(RuntimeError):
    """A network could not be trained for a few steps."""


class Rehearsal(NamedTuple):
    """What was timed; seconds, and bytes of the device (on a CPU: of the process)."""

    step: float  # median
    quartiles: tuple[float, float]
    image: float  # of evaluation
    memory: int
    execution: str  # of the training pass: eager, graphs or compile


class Timed(NamedTuple):
    """One candidate and what its rehearsal took, the slowest of those side by side."""

    candidate: int
    rehearsal: Rehearsal
    epoch: float  # seconds, with validation


class Estimate(NamedTuple):
    """What a study will take; seconds and bytes.

    `predictor` is the cost that time was found to follow, and `error` the relative error of
    predicting the middle candidate from the two others by it, or the spread of the steps, or
    what the first candidate took otherwise when it was timed again: the largest of them.
    """

    timed: tuple[Timed, ...]
    predictor: str
    error: float
    epoch: float  # of the mean trial
    beside: int  # trials at once
    work: float  # of all trials, one after another
    wall: float  # from start to end
    disk: int  # checkpoints and journal; the cache of decoded images is counted apart
