"""Runs a study whose trials only pretend to train: several at once, each with its own curve."""

from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np

from search.schema.study_plan import StudyPlan
from search.study.events import Ended, Epoch, Started, Status
from search.study.study import Study
from tests.search.spaces import TINY, plan_of

EPOCHS = 9


def plan_with(folder: Path, scheduler: str, *overrides: str) -> StudyPlan:
    """The tiny space with 12 networks of 9 epochs; what follows a line break is another key."""
    longer = ("search.trials=12", f"training.epochs={EPOCHS}")
    return plan_of(folder, TINY, *longer, *f"scheduler={scheduler}".split("\n"), *overrides)


def error_at(started: Started, epoch: int) -> float:
    """A power law that only the network and the seed decide, with some noise; they cross."""
    digits = [ord(letter) for letter in started.name]
    rng = np.random.default_rng([*digits, started.repeat])
    floor, height, exponent = rng.uniform(5, 30), rng.uniform(20, 60), rng.uniform(0.3, 1.5)
    noise = rng.normal(0, 0.3, EPOCHS)[epoch - 1]
    return float(floor + height * (epoch + 1) ** -exponent + noise)


def epoch_of(started: Started, number: int) -> Epoch:
    """What a trial reports."""
    error = error_at(started, number)
    metrics = {"train_loss": error / 50, "val_error": error, "val_error_top5": error / 3}
    return Epoch(
        trial=started.trial, epoch=number, images_per_s=1.0, seconds=1.0, metrics=metrics
    )


def end_of(started: Started, epochs: int, status: Status) -> Ended:
    """How a trial ends that nobody stopped."""
    if status is not Status.OK:
        return Ended(trial=started.trial, status=status, reason="broken", epochs=epochs)
    error = error_at(started, epochs)
    metrics = {"val_error": error, "val_error_top5": error / 3, "test_error": error}
    return Ended(trial=started.trial, status=status, epochs=epochs, metrics=metrics)


def drive(
    study: Study,
    *,
    slots: int,
    stop_after: int = 10**9,
    fate: Callable[[Started, int], Status] = lambda _, __: Status.OK,
) -> list[tuple[int, int]]:
    """Run trials as an executor does, so many at once, each an epoch in its turn.

    Args:
        study: until it is over.
        slots: trials at once.
        stop_after: reports, after which everything is dropped as by a crash.
        fate: of a trial at an epoch; other than OK it ends there, before it reports.

    Returns:
        (trial, epoch) of each report.
    """
    running: deque[Started] = deque()
    reports: list[tuple[int, int]] = []
    while not study.finished and len(reports) < stop_after:
        while len(running) < slots and (started := study.next()) is not None:
            running.append(started)
        if not running:
            assert study.finished, "nothing runs and nothing is handed out"
            break
        started = running.popleft()
        before = study.history.epochs(started.trial)
        if (status := fate(started, before + 1)) is not Status.OK:
            study.end(end_of(started, before, status))
            continue
        reports.append((started.trial, before + 1))
        if study.report(epoch_of(started, before + 1)):
            continue
        if before + 1 == started.epochs:
            study.end(end_of(started, before + 1, Status.OK))
        else:
            running.append(started)
    return reports
