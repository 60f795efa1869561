"""A few training steps of a network, timed: alone, or as many side by side as trials will run.

The images are random ones in memory, so that nothing has to be there yet: reading or
decoding images is not in these times.
"""

import contextlib
import multiprocessing
import statistics
import time
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext
from multiprocessing.synchronize import Barrier
from typing import Any, Self

import torch

from res2net import Architecture
from search.engine.bench import Bench
from search.engine.meter import Meter
from search.engine.training import Trainer
from search.images.splits import Split, Splits
from search.profiling.estimate import Rehearsal, RehearsalError
from search.schema.config import Config

_STEPS = 8  # that are timed
_BATCHES = _STEPS + 3  # of random images
_HELD_OUT = 256  # images that are only looked at
_PATIENCE = 300.0  # seconds that the slowest of several processes may take to get ready


class Stage:
    """Processes that rehearse together, started once.

    Args:
        config: the recipe, the size of the images, threads and device of a trial.
        beside: how many trials run at once.
        a_gpu: how many of them share one, all of them where not given.
    """

    def __init__(self, config: Config, *, beside: int, a_gpu: int | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        # Kept here, because it ends with its last reference and processes still come to it.
        self._start = context.Barrier(beside)
        self._actors = [
            _Actor(context, config, self._start, gpu=number // (a_gpu or beside))
            for number in range(beside)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for actor in self._actors:
            actor.dismiss()

    def rehearse(self, architecture: Architecture) -> list[Rehearsal]:
        """Train the same network in every process at the same time.

        Raises:
            RehearsalError: a process failed (with its own words).
        """
        for actor in self._actors:
            with contextlib.suppress(ConnectionError):  # whoever is gone does not answer
                actor.connection.send(architecture)
        answers = [actor.answer() for actor in self._actors]
        failures = [answer for answer in answers if isinstance(answer, str)]
        if failures:  # one of them is the cause; the others waited for it
            raise RehearsalError(min(failures, key=lambda words: "BrokenBarrier" in words))
        return [answer for answer in answers if isinstance(answer, Rehearsal)]


class _Actor:
    """One process and the line to it."""

    def __init__(
        self, context: SpawnContext, config: Config, start: Barrier, *, gpu: int
    ) -> None:
        self.connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_perform, args=(config.model_dump(), start, theirs, gpu), daemon=True
        )
        self._process.start()
        theirs.close()  # so that its end is seen here

    def answer(self) -> Rehearsal | str:
        """What was timed, or the words of what went wrong."""
        try:
            answer: Rehearsal | str = self.connection.recv()
        except (EOFError, ConnectionError):
            self._process.join(_PATIENCE / 100)
            return f"its process ended with {self._process.exitcode}"
        return answer

    def dismiss(self) -> None:
        self.connection.close()
        self._process.join(_PATIENCE / 100)
        self._process.terminate()


def _perform(config: dict[str, Any], start: Barrier, connection: Connection, gpu: int) -> None:
    """Of a process: rehearse every network that comes, until the line is closed."""
    own = Config.model_validate(config)
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            architecture = connection.recv()
            try:
                connection.send(_rehearse(own, architecture, start, gpu))
            except Exception as error:  # noqa: BLE001 - told to whoever asked
                start.abort()
                connection.send(f"{type(error).__name__}: {error}")


def _rehearse(
    config: Config, architecture: Architecture, start: Barrier, gpu: int
) -> Rehearsal:
    torch.set_num_threads(config.resources.cpu)
    bench = Bench(
        config.training.model_copy(update={"execution": "eager"}),
        _random_images(config),
        device=torch.device(f"cuda:{gpu}" if config.resources.gpu else "cpu"),
        resolution=config.data.facts.image_size,
    )
    meter = Meter(bench.device, alone=False)
    trainer = Trainer(architecture, bench, epochs=config.training.epochs, seed=0)
    start.wait(_PATIENCE)
    steps = trainer.rehearse(_STEPS)
    trainer.test()  # the first pass of a kind is slower
    begun = time.perf_counter()
    trainer.test()
    image = (time.perf_counter() - begun) / _HELD_OUT
    low, _, high = statistics.quantiles(steps, n=4) if len(steps) > 1 else steps * 3
    memory = meter.read().peak_memory or 0
    return Rehearsal(statistics.median(steps), (low, high), image, memory)


def _random_images(config: Config) -> Splits:
    generator = torch.Generator().manual_seed(0)
    side, classes = config.data.side, config.data.facts.classes

    def split(count: int) -> Split:
        images = torch.randint(
            0, 256, (count, side, side, 3), dtype=torch.uint8, generator=generator
        )
        labels = torch.randint(0, classes, (count,), generator=generator)
        return Split(images, torch.arange(count), labels)

    train = split(config.training.batch_size * _BATCHES)
    held_out = split(_HELD_OUT)
    mean = torch.full((3,), 127.5)
    return Splits(train, held_out, held_out, mean, mean / 2)
