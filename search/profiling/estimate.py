"""Types of an estimate: what was timed, and what is derived from it. No torch here."""

from typing import NamedTuple


class RehearsalError(RuntimeError):
    """A network could not be trained for a few steps."""


class Rehearsal(NamedTuple):
    """Measurements of a rehearsal; seconds, and bytes of the device (on a CPU: the process)."""

    step: float  # median
    quartiles: tuple[float, float]
    image: float  # evaluation of one image
    memory: int
    execution: str  # of the training pass: eager, graphs or compile
    parts: int = 1  # into which each batch was split, so that it fits into memory


class Timed(NamedTuple):
    """One candidate and its rehearsal, the slowest of those run at once."""

    candidate: int
    rehearsal: Rehearsal
    epoch: float  # seconds, including validation


class Estimate(NamedTuple):
    """What a study will take; seconds and bytes.

    `predictor` is the cost that time was found to follow. `error` is the largest of: the
    relative error when it predicts the middle candidate from the two others, the spread of the
    steps, and the change when the first candidate was timed again.
    """

    timed: tuple[Timed, ...]
    predictor: str
    error: float
    epoch: float  # of a mean trial
    beside: int  # trials that run at once
    work: float  # of all trials, one after another
    wall: float  # from start to end
    disk: int  # checkpoints, kept weights and journal; without the cache of decoded images
