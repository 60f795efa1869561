"""Warm start from a narrower run, on the table that ships: fewer trials to the same error?

python -m benchmarks.warm [--seeds 50] [--table PATH]

Each search of the wider space (all scales) is repeated from nothing and from a search of 30
networks of a narrower one (scales 1 to 3). Counted are the new networks until the best so far
(of all that is known) is within 0.5 points of error of the best of the wider space: none where
the narrower search found such a one; a search that does not get there in 60 counts as 60.
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
_NARROW = 30  # networks of the narrower search


def prepared_for(table: str, *extra: str) -> Prepared:
    """The space, searched by TPE and replayed."""
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
    """One search that begins with what is known; its whole trials, and what is known after."""
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


def trials_until_near(points: Sequence[Point], known: Sequence[Known], table: Table) -> int:
    """New networks until the best by what was seen is near the best of the space."""
    found = min(known, key=lambda one: one.values["val_error"], default=None)
    if found and table.error[found.name] - table.best <= _NEAR:
        return 0
    best = found.values["val_error"] if found else float("inf")
    for count, point in enumerate(points, start=1):
        if point.seen < best:
            best = point.seen
            if table.error[point.name] - table.best <= _NEAR:
                return count
    return TRIALS


def main(argv: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.warm")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--table", default="search/tables/digits")
    arguments = parser.parse_args(argv)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    table = Table(arguments.table)
    asked = f"search={{sampler: tpe, trials: {TRIALS}}}"
    wide = prepared_for(arguments.table, asked)
    fewer = f"search={{sampler: tpe, trials: {_NARROW}}}"
    narrow = prepared_for(arguments.table, fewer, "network.scale=[1, 2, 3]")
    cold, warm = [], []
    for seed in range(arguments.seeds):
        points, _ = searched(wide, seed, ())
        cold.append(trials_until_near(points, (), table))
        _, known = searched(narrow, seed, ())
        points, _ = searched(wide, seed, known)
        warm.append(trials_until_near(points, known, table))
    for name, counts in (("from nothing", cold), ("from the narrower run", warm)):
        low, high = interval(np.array(counts, dtype=float))
        print(f"{name}: {np.mean(counts):.1f} networks ({low:.1f} to {high:.1f})")
    fewer_by = np.array(cold, dtype=float) - np.array(warm, dtype=float)
    low, high = interval(fewer_by)
    print(f"fewer by {fewer_by.mean():.1f} ({low:.1f} to {high:.1f}), n = {len(cold)} pairs")


if __name__ == "__main__":
    main(sys.argv[1:])
