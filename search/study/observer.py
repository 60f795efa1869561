"""Someone who is told what happens in a study, such as a progress display."""

from typing import Protocol

from search.study.events import Ended, Epoch, Started, Turn


class Watcher(Protocol):
    """Told of each event after it was noted."""

    def started(self, started: Started) -> None:
        """A trial starts or goes on."""

    def turned(self, started: Started, turn: Turn) -> None:
        """A running trial is so far inside an epoch."""

    def reported(self, started: Started, epoch: Epoch) -> None:
        """A running trial finished an epoch."""

    def ended(self, started: Started, ended: Ended) -> None:
        """A trial ended."""
