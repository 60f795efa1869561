"""Trials one after another in this process, for debuggers and profilers. No Ray here."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import torch

from search.engine.bench import Bench
from search.engine.trial import Trial
from search.images.splits import load
from search.schema.config import Config
from search.study.study import Study, checkpoint_path


def run_inline(study: Study, config: Config, *, folder: Path, root: Path) -> None:
    """Run every trial that is left, in order.

    Args:
        study: gives the trials and takes what they report.
        config: recipe, data and resources.
        folder: of the run; checkpoints go below it.
        root: the folder of the data sets.
    """
    bench = make_bench(config, root)
    with _asked_to_stop() as asked:
        while not asked.is_set():
            started = study.next()
            if started is None:  # nothing runs beside, so there is nothing to wait for
                return
            trial = Trial(
                started,
                bench=bench,
                checkpoint=checkpoint_path(folder, started.trial),
                reported=study.history.epochs(started.trial),
            )
            _run(trial, study, asked)


@contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """Set by the first Ctrl-C: the turn is finished and saved; the second interrupts."""
    asked = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's signature
        asked.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def make_bench(config: Config, root: Path) -> Bench:
    """Recipe and images on the device that a trial of this config uses."""
    gpus = config.resources.gpus
    return Bench(
        config.training,
        load(config.data, root),
        device=torch.device("cuda" if gpus else "cpu"),
        resolution=config.data.facts.image_size,
        share=gpus or 1.0,
        workers=config.resources.cpu,
    )


def _run(trial: Trial, study: Study, asked: threading.Event) -> None:
    ended = None
    while ended is None:
        epoch, ended = trial.step()
        stop = asked.is_set()
        if epoch is not None:
            stop |= study.report(epoch, trial.taken)
        elif ended is None:
            stop |= study.turned(trial.turn)
        if trial.started.trial not in study.history.live:  # stopped early, for good
            return
        if ended is None and stop:
            trial.save()
            return
    study.end(ended)
