"""What a tracker is, and what all of them are told of a trial. No torch here."""

from collections.abc import Mapping
from typing import Protocol

from res2net.architecture import written
from search.schema.metrics import TEST
from search.study.events import Ended, Epoch, Started


class Tracker(Protocol):
    """Keeps what trials report, in its own form, in a folder of its own.

    A trial may begin more than once: it was interrupted and goes on, perhaps in another
    process. What is there of it already is not written again.
    """

    def begin(self, started: Started) -> None:
        """A trial starts or goes on."""

    def report(self, started: Started, epoch: Epoch) -> None:
        """A trial that began finished an epoch."""

    def end(self, started: Started, ended: Ended) -> None:
        """A trial that began has ended."""

    def close(self) -> None:
        """Nothing more comes from this process; trials under way may go on in another."""


def settings_of(started: Started) -> Mapping[str, bool | int | float | str]:
    """What a trial was made with: network, settings, seed; lists of stages as 1.2.4."""
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
    """The numbers of an epoch by name: its metrics, and how fast it was."""
    return {**epoch.metrics, "images_per_s": epoch.images_per_s, "seconds": epoch.seconds}


def last_of(ended: Ended) -> dict[str, float]:
    """What only the end of a trial tells: metrics that no epoch has, as of the test images."""
    return {name: value for name, value in ended.metrics.items() if name.startswith(TEST)}
