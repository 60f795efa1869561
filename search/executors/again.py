"""Trains trials of a table again, and compares them with the table, number by number."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from res2net import Architecture
from search.engine.bench import Bench, Benches
from search.engine.trial import Trial
from search.replay.results import Cell, CellEpoch, Source
from search.schema.seeds import seed_of
from search.schema.study_plan import StudyPlan
from search.space.survey import survey
from search.study.events import Ended, Started
from search.study.history import History
from search.study.starting import Starts

_SILENCE = 60.0  # seconds
Tell = Callable[[str, int, int], None]


class Compared(NamedTuple):
    """A trial that was trained again.

    Attributes:
        network, repeat: which trial.
        differences: how far each differing number is from the table's, by name; empty where
            all are bit-identical.
    """

    network: Architecture
    repeat: int
    differences: dict[str, float]


def drawn(source: Source, share: float, *, seed: int = 0) -> list[tuple[Architecture, int]]:
    """Trials of a table, drawn without replacement: a share of all, at least one.

    Args:
        source: the table.
        share: share of the trials, from 0 to 1.
        seed: seed of the draw.
    """
    trials = [(n, repeat) for n, ones in source.cells.items() for repeat in range(len(ones))]
    rng = np.random.default_rng(seed_of(seed, "cells to train again"))
    count = max(1, round(share * len(trials)))
    return [trials[each] for each in sorted(rng.choice(len(trials), count, replace=False))]


def train_again(
    source: Source,
    plan: StudyPlan,
    trials: list[tuple[Architecture, int]],
    root: Path,
    *,
    tell: Tell = lambda *_: None,
) -> Iterator[Compared]:
    """Train trials as in the study that made a table; one after another, in this process.

    Args:
        source: the table.
        plan: the plan by which it was trained.
        trials: networks and repeats.
        root: the folder of the data sets.
        tell: called at most once a minute with the progress of a trial: its network, finished
            epochs, all epochs.
    """
    benches = Benches(plan, root)
    candidates = survey(plan)
    starts = Starts(plan, candidates, History(plan.ranking))
    for network, repeat in trials:
        there = source.cells[network][repeat]
        candidate = candidates.candidate(network)
        assert candidate is not None, "the plan is the table's own"
        started = starts.start("search", candidates.configuration(candidate), repeat)
        here = _trained(started, benches.of(started), tell)
        yield Compared(network, repeat, dict(_differences(there, here)))


def _trained(started: Started, bench: Bench, tell: Tell) -> Cell:
    said = time.monotonic()
    epochs: list[CellEpoch] = []
    ended: Ended | None = None
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(started, bench=bench, checkpoint=Path(folder) / "trial")
        while ended is None:
            epoch, ended = trial.step()
            if epoch is not None:
                epochs.append(CellEpoch(epoch.metrics, epoch.seconds, epoch.images_per_s))
                if time.monotonic() - said >= _SILENCE:
                    said = time.monotonic()
                    tell(started.name, epoch.epoch, started.epochs)
    return Cell(tuple(epochs), ended.status, ended.reason, ended.metrics, ended.device)


def _differences(there: Cell, here: Cell) -> Iterator[tuple[str, float]]:
    """What differs in a trial, and by how much."""
    if (there.status, len(there.epochs)) != (here.status, len(here.epochs)):
        yield f"status {there.status}, here {here.status}", float("inf")
        return
    steps = [*(one.metrics for one in there.epochs), there.metrics]
    again = [*(one.metrics for one in here.epochs), here.metrics]
    for number, (one, other) in enumerate(zip(steps, again, strict=True), 1):
        when = f"epoch {number}" if number <= len(there.epochs) else "the end"
        for name in one.keys() | other.keys():
            had, has = one.get(name, float("nan")), other.get(name, float("nan"))
            if had != has:
                yield f"{name} of {when}", abs(had - has)
