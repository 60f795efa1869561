"""Tests on the included table whether a warm start from a narrower run saves trials.

python -m benchmarks.warm [--seeds 200] [--table PATH]

Each search of the wider space is run from scratch and after a search of 30 networks of a
narrower space: with scales 1 to 3, or with a budget so low that it contains none of the target
networks. The target is a network within 0.5 points of error of the best of the wider space.
Counted are the new networks until a target is trained, and until a target is the best by what
the search saw; this comes later, or never, if a worse network was lucky on the validation
images. The count is 0 if the narrower search already had a target; a search that does not reach
it in 60 counts as 60.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import optuna

from benchmarks.searches import BUDGET, TRIALS, WORKERS, Point, SimulatedClock, Table, Watch
from benchmarks.searches_drawn import interval
from search.executors.replay import run_replay
from search.preparation import Prepared, open_space, prepare
from search.study.events import Ended, Known, Started
from search.study.journal import Journal, read
from search.study.study import Study

_NEAR = 0.5  # points of error
_NARROW = 30  # networks in the narrower search
_NARROWER = {
    "scales 1 to 3": "network.scale=[1, 2, 3]",
    "a budget of 0.7 M": "budget.macs={max: 0.7M}",
}


def prepared_for(table: str, *extra: str) -> Prepared:
    """Prepare the replay of a TPE search of the space."""
    return prepare(
        open_space(
            Path("spaces/digits_table.yaml"),
            (
                f"budget.macs={BUDGET}",
                f"execution={{replay: [{table}], workers: {WORKERS}}}",
                *extra,
            ),
        )
    )


def searched(
    prepared: Prepared, seed: int, known: Sequence[Known]
) -> tuple[list[Point], tuple[Known, ...]]:
    """Run a search from known trials; return its complete trials and all it then knows."""
    assert prepared.results is not None, "it replays"
    search = prepared.plan.search.model_copy(update={"seed": seed})
    plan = prepared.plan.model_copy(update={"search": search})
    clock = SimulatedClock()
    watch = Watch(clock)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        folder = Path(name, "run")
        with Journal(folder, say=lambda *_: None) as journal:
            study = Study(plan, prepared.survey, journal, clock=clock)
            for one in known:
                study.know(one)
            study.observers.append(watch)
            run_replay(study, prepared.results, clock, asked=lambda: False)
        records = read(folder, epochs=False)
    starts = {one.trial: one for one in records if isinstance(one, Started)}
    ends = [one for one in records if isinstance(one, Ended)]
    return watch.points, tuple(
        Known(
            trial=-1 - place,
            name=starts[end.trial].name,
            architecture=starts[end.trial].architecture,
            status=end.status,
            epochs=end.epochs,
            values=starts[end.trial].values(end.metrics),
            source="narrow",
        )
        for place, end in enumerate(ends)
    )


def until_trained(points: Sequence[Point], known: Sequence[Known], table: Table) -> int:
    """Number of new networks until one close to the best of the space is trained."""
    if any(_is_near(one.name, table) for one in known):
        return 0
    near = (count for count, one in enumerate(points, 1) if _is_near(one.name, table))
    return next(near, TRIALS)


def until_best(points: Sequence[Point], known: Sequence[Known], table: Table) -> int:
    """Number of new networks until the best seen is close to the best of the space."""
    found = min(known, key=lambda one: one.values["val_error"], default=None)
    if found and _is_near(found.name, table):
        return 0
    best = found.values["val_error"] if found else float("inf")
    for count, point in enumerate(points, start=1):
        if point.seen < best:
            best = point.seen
            if _is_near(point.name, table):
                return count
    return TRIALS


def _is_near(name: str, table: Table) -> bool:
    return round(table.error[name] - table.best, 6) <= _NEAR  # so that 0.5 in floats counts


def compare(narrower: str, table: str, seeds: int) -> None:
    """Print what a search needs from scratch and from the narrower run, paired by seed."""
    known_errors = Table(table)
    asked = "search={{sampler: tpe, trials: {}}}"
    wide = prepared_for(table, asked.format(TRIALS))
    narrow = prepared_for(table, asked.format(_NARROW), _NARROWER[narrower])
    counts: dict[str, list[tuple[int, int]]] = {"trained": [], "the best seen": []}
    for seed in range(seeds):
        cold, _ = searched(wide, seed, ())
        _, known = searched(narrow, seed, ())
        warm, _ = searched(wide, seed, known)
        for counted, until in zip(counts, (until_trained, until_best), strict=True):
            pair = (until(cold, (), known_errors), until(warm, known, known_errors))
            counts[counted].append(pair)
    for counted, pairs in counts.items():
        both = np.array(pairs, dtype=float)
        low, high = interval(both[:, 0] - both[:, 1])
        means, never = both.mean(axis=0), (both == TRIALS).mean(axis=0)
        print(
            f"{narrower}, until {counted}: from nothing {means[0]:.1f} networks (never "
            f"{never[0]:.0%}), from the narrower run {means[1]:.1f} (never {never[1]:.0%}); "
            f"fewer by {means[0] - means[1]:.1f} ({low:.1f} to {high:.1f}), n = {seeds} pairs"
        )


def main(argv: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.warm")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--table", default="search/tables/digits")
    arguments = parser.parse_args(argv)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for narrower in _NARROWER:
        compare(narrower, arguments.table, arguments.seeds)


if __name__ == "__main__":
    main(sys.argv[1:])
