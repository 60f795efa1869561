"""The tracker protocol, and what all trackers report about a trial. No torch here."""

from collections.abc import Mapping
from typing import Protocol

from res2net.architecture import written
from search.schema.metrics import TEST
from search.study.events import Ended, Epoch, Started


class Tracker(Protocol):
    """Stores what trials report, in its own format, in its own folder.

    A trial may begin more than once: it may have been interrupted and be resumed, perhaps in
    another process. What is already stored is not written again.
    """

    def begin(self, started: Started) -> None:
        """A trial starts or resumes."""

    def report(self, started: Started, epoch: Epoch) -> None:
        """A trial that began finished an epoch."""

    def end(self, started: Started, ended: Ended) -> None:
        """A trial that began has ended."""

    def close(self) -> None:
        """No more comes from this process; live trials may resume in another."""


def settings_of(started: Started) -> Mapping[str, bool | int | float | str]:
    """What a trial was made with: network, settings, seed; lists by stage as 1.2.4."""
    network = {
        key: written(tuple(value)) if isinstance(value, list) else value
        for key, value in started.architecture.items()
        if value is not None
    }
    return (
        network
        | started.own
        | {
            "name": started.name,
            "phase": started.phase,
            "seed": started.seed,
            "repeat": started.repeat,
            "epochs": started.epochs,
            "macs": started.macs,
            "params": started.params,
            "activations": started.activations,
        }
    )


def numbers_of(epoch: Epoch) -> dict[str, float]:
    """The numbers of an epoch by name: its metrics and its speed."""
    return {**epoch.metrics, "images_per_s": epoch.images_per_s, "seconds": epoch.seconds}


def last_of(ended: Ended) -> dict[str, float]:
    """Metrics that only the end of a trial gives, such as those of the test images."""
    return {name: value for name, value in ended.metrics.items() if name.startswith(TEST)}
