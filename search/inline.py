"""Trials one after another in this process, for debuggers and profilers. No Ray here."""

from pathlib import Path

import torch

from search.config import Config
from search.data import load
from search.study import Study, checkpoint_path
from search.training import Bench
from search.trial import Trial


def run_inline(study: Study, config: Config, *, folder: Path, root: Path) -> None:
    """Run every trial that is left, in order.

    Args:
        study: gives the trials and takes what they report.
        config: recipe, data and resources.
        folder: of the run; checkpoints go below it.
        root: the folder of the data sets.
    """
    bench = make_bench(config, root)
    while not study.finished:
        started = study.next()
        assert started is not None, "nothing runs beside, so nothing can be waited for"
        checkpoint = checkpoint_path(folder, started.trial)
        trial = Trial(started, bench=bench, threads=config.resources.cpu, checkpoint=checkpoint)
        _run(trial, study)


def make_bench(config: Config, root: Path) -> Bench:
    """Recipe and images on the device that a trial of this config uses."""
    device = torch.device("cuda" if config.resources.gpu else "cpu")
    return Bench(config.training, load(config.data, root), device=device)


def _run(trial: Trial, study: Study) -> None:
    ended = None
    while ended is None:
        epoch, ended = trial.step()
        if epoch is not None and study.report(epoch):
            return
    study.end(ended)
