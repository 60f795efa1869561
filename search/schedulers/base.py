"""The scheduler protocol: whether a trial goes on, rests or ends before its last epoch.

A scheduler is told of every epoch of the first trial of each network, in the order of the
journal, and of nothing else: so it can be rebuilt from the journal after a stop.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol, cast

from res2net.plugins import PluginError
from search.schema.metrics import Objective
from search.schema.parts import Choice, Guarded, require_methods
from search.schema.schedulers import SCHEDULERS


class Decision(StrEnum):
    """What becomes of a trial after an epoch."""

    CONTINUE = "continue"
    PAUSE = "pause"  # it keeps its checkpoint, and may go on later
    STOP = "stop"  # it ends as pruned


class Scheduler(Protocol):
    """Decides by the metrics of all trials so far."""

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> Decision:
        """Note what a trial reported after `epoch` epochs; what becomes of it."""

    def ended(self, trial: int) -> None:
        """Note that a trial ended, however."""

    def resume(self) -> int | None:
        """A paused trial that should go on now, None where there is none; not yet noted."""

    def resumed(self, trial: int) -> None:
        """Note that a paused trial goes on (now, or before a stop)."""


class Fifo:
    """Runs every trial to its last epoch."""

    def __init__(self, *, epochs: int, objective: Objective) -> None:
        """Nothing is needed of either."""

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> Decision:  # noqa: ARG002 - the protocol's
        """Go on, whatever was reported."""
        return Decision.CONTINUE

    def ended(self, trial: int) -> None:
        """Ends change nothing here."""

    def resume(self) -> int | None:
        """None: no trial is ever paused."""
        return None

    def resumed(self, trial: int) -> None:
        """No trial is ever resumed."""


def make_scheduler(choice: Choice, *, epochs: int, objective: Objective) -> Scheduler:
    """The scheduler that a study chose.

    Args:
        choice: its name and options.
        epochs: of a whole trial.
        objective: the metric that ranks.

    Raises:
        PluginError: a foreign one cannot be made so, or lacks a method.
    """
    maker = SCHEDULERS.make(choice.name)
    try:
        scheduler = maker(epochs=epochs, objective=objective, **choice.options)
    except TypeError as error:
        if choice.name in SCHEDULERS.ours:
            raise
        raise PluginError(
            f"{choice.name}: cannot be made ({error}); it is given (*, epochs, objective) and "
            "its own options"
        ) from error
    require_methods(choice.name, scheduler, "report", "ended", "resume", "resumed")
    if choice.name not in SCHEDULERS.ours:
        scheduler = Guarded(choice.name, scheduler)
    return cast("Scheduler", scheduler)
