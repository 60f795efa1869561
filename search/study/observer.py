"""Observers, which are called for each event of a study: the progress display, a callback."""

from collections.abc import Callable
from typing import Protocol

from search.study.events import Ended, Epoch, Lost, Started, Turn


class Observer(Protocol):
    """Called for each event after it was noted."""

    def started(self, started: Started) -> None:
        """A trial starts or resumes."""

    def turned(self, started: Started, turn: Turn) -> None:
        """A running trial reports its progress within an epoch."""

    def reported(self, started: Started, epoch: Epoch) -> None:
        """A running trial finished an epoch."""

    def silent(self, started: Started, seconds: float, *, running: bool) -> None:
        """For so many seconds nothing came from a trial's worker, or none was ready."""

    def lost(self, started: Started, lost: Lost) -> None:
        """The infrastructure lost a running trial; it will be resumed."""

    def ended(self, started: Started, ended: Ended) -> None:
        """A trial ended."""


class Callback:
    """Passes each start, epoch, loss and end of a trial to a function."""

    def __init__(self, call: Callable[[Started | Epoch | Lost | Ended], None]) -> None:
        self._call = call

    def started(self, started: Started) -> None:
        """A trial starts or resumes."""
        self._call(started)

    def turned(self, started: Started, turn: Turn) -> None:
        """Do nothing: progress within an epoch is not an event."""

    def reported(self, started: Started, epoch: Epoch) -> None:  # noqa: ARG002 - the protocol's
        """A running trial finished an epoch."""
        self._call(epoch)

    def silent(self, started: Started, seconds: float, *, running: bool) -> None:
        """Do nothing: silence is not an event."""

    def lost(self, started: Started, lost: Lost) -> None:  # noqa: ARG002 - the protocol's
        """The infrastructure lost a running trial."""
        self._call(lost)

    def ended(self, started: Started, ended: Ended) -> None:  # noqa: ARG002 - the protocol's
        """A trial ended."""
        self._call(ended)
