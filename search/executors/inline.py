"""The inline executor runs trials one after another in this process. No Ray here."""

import contextlib
import errno
import threading
from collections.abc import Iterator
from pathlib import Path

import torch

from search.engine.bench import Benches
from search.engine.failures import LostError, in_one_line, is_of_the_gpu
from search.engine.trial import Trial
from search.executors.signals import asked_to_end
from search.schema.study_plan import StudyPlan
from search.study.study import Study
from search.tasks.memory import is_out_of_memory, lift_share

# Seconds to wait after the first, second and third loss of a trial: files may come back.
_PAUSES = {1: 0.5, 2: 5.0, 3: 20.0}


def run_inline(study: Study, plan: StudyPlan, *, root: Path) -> None:
    """Run every trial that is left, in order.

    Args:
        study: gives the trials and takes their reports.
        plan: recipe, data and resources.
        root: the folder of the data sets.

    Raises:
        OSError: a disk is full, or the GPU failed so that this process can no longer use it.
    """
    with _kept_to_share(plan):
        with _failing_in_words():
            benches = Benches(plan, root)
        _run_each(study, benches)


@contextlib.contextmanager
def _kept_to_share(plan: StudyPlan) -> Iterator[None]:
    """Give the process the whole GPU again at the end, as it may go on to other things."""
    try:
        yield
    finally:
        if 0 < plan.resources.gpu < 1:
            lift_share(torch.device("cuda"))


@contextlib.contextmanager
def _failing_in_words() -> Iterator[None]:
    """Say that the GPU cannot be used, or that memory ran out, before a trial runs."""
    try:
        yield
    except RuntimeError as error:
        if not (is_of_the_gpu(error) or is_out_of_memory(error)):
            raise
        what = "the GPU cannot be used" if is_of_the_gpu(error) else "memory ran out"
        reason = f"{what} ({in_one_line(error)}); the same command resumes the study"
        raise OSError(errno.EIO, reason) from error


def _run_each(study: Study, benches: Benches) -> None:
    asked = threading.Event()  # set by the first signal: the turn is finished and saved
    with asked_to_end() as wish, wish.passed_to(asked.set):
        while not asked.is_set():
            started = study.next()
            if started is None:  # nothing else runs, so there is nothing to wait for
                return
            with _failing_in_words():
                bench = benches.of(started)
            trial = Trial(
                started,
                bench=bench,
                checkpoint=study.checkpoints.path(started.trial),
                reported=study.history.epochs(started.trial),
                weights=study.weights.path(started),
                known=study.measured(started),
            )
            try:
                _run(trial, study, asked)
            except LostError as error:
                study.lost(started.trial, str(error))
                if error.new_process:
                    reason = f"the GPU failed ({error}); the same command resumes it"
                    raise OSError(errno.EIO, reason) from error
                if study.history.losses(started.trial) in _PAUSES:
                    asked.wait(_PAUSES[study.history.losses(started.trial)])
            del trial, bench  # frees its images, before others are loaded


def _run(trial: Trial, study: Study, asked: threading.Event) -> None:
    ended = None
    while ended is None:
        epoch, ended = trial.step()
        stop = asked.is_set()
        if epoch is not None:
            stop |= study.report(epoch, trial.taken)
        elif ended is None:
            stop |= study.turned(trial.turn)
        if trial.started.trial not in study.history.live:  # stopped early or rejected
            return
        if ended is None and stop:
            trial.try_to_save()
            return
    study.end(ended)
