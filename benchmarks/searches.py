"""Replays whole searches on the included table: what samplers and schedulers find, and when.

python -m benchmarks.searches --seeds 50 --out FOLDER [--only NAME ...] [--table PATH]
python -m benchmarks.searches_drawn FOLDER

Every search has the same budget of multiply-adds and replays the same trained networks on
simulated workers. After each complete trial, the best network so far by what the search saw is
recorded with its error (mean over both trials in the table) minus the lowest error of any
network inside the budget: what is lost by not knowing the table.
"""

import argparse
import heapq
import json
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optuna

from search.executors.replay import SimulatedClock, run_replay
from search.preparation import Prepared, open_space, prepare
from search.study.events import Ended, Started, Status
from search.study.journal import Journal
from search.study.observer import Observer
from search.study.study import Study

SPACE = Path("spaces/digits_table.yaml")
WORKERS, TRIALS = 4, 60
STOPPED = 180  # networks of searches that stop most early, in about the same time
BUDGET = "{max: 1.2M}"
OURS: dict[str, tuple[str, str]] = {  # name: (sampler, scheduler)
    "random": ("random", "fifo"),
    "qmc": ("qmc", "fifo"),
    "stratified": ("stratified", "fifo"),
    "tpe": ("tpe", "fifo"),
    "gp": ("gp", "fifo"),
    "cmaes": ("cmaes", "fifo"),
    "nsga2": ("nsga2", "fifo"),
    "evolution": ("evolution", "fifo"),
    "local": ("local", "fifo"),
    "random, one_epoch": ("random", "one_epoch"),
    "random, asha": ("random", "asha"),
    "random, asha with promotion": ("random", "{name: asha, promotion: true}"),
    "random, hyperband": ("random", "hyperband"),
    "random, median": ("random", "median"),
    "random, curves": ("random", "curves"),
    "tpe, asha": ("tpe", "asha"),
    "evolution, asha": ("evolution", "asha"),
    "local, asha": ("local", "asha"),
}


class Point(NamedTuple):
    """A completed network, and when it was completed."""

    trial: int
    seconds: float
    seen: float  # error that the search saw, in percent
    name: str


class Watch(Observer):
    """Records every complete trial."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock, self.points = clock, list[Point]()

    def ended(self, started: Started, ended: Ended) -> None:
        """Record the end of a trial."""
        if ended.status is Status.OK:
            seen = ended.metrics["val_error"]
            self.points.append(Point(started.trial, self._clock.now, seen, started.name))


def prepared_for(sampler: str, scheduler: str, table: str, budget: str = BUDGET) -> Prepared:
    """Prepare the replay of the space with this sampler and scheduler."""
    trials = TRIALS if scheduler == "fifo" else STOPPED
    return prepare(
        open_space(
            SPACE,
            (
                f"budget.macs={budget}",
                f"search={{sampler: {sampler}, trials: {trials}, seeds: 1}}",
                f"scheduler={scheduler}",
                f"execution={{replay: [{table}], workers: {WORKERS}}}",
            ),
        )
    )


def search_once(prepared: Prepared, seed: int) -> list[Point]:
    """Run one search of ours; return its complete trials."""
    assert prepared.results is not None, "it replays"
    plan = prepared.plan
    plan = plan.model_copy(update={"search": plan.search.model_copy(update={"seed": seed})})
    clock = SimulatedClock()
    watch = Watch(clock)
    with (
        tempfile.TemporaryDirectory(dir="/dev/shm") as folder,
        Journal(Path(folder, "run"), say=lambda *_: None) as journal,
    ):
        study = Study(plan, prepared.survey, journal, clock=clock)
        study.observers.append(watch)
        run_replay(study, prepared.results, clock, asked=lambda: False)
    return watch.points


class Table:
    """Errors and costs of all networks of the table, inside the budget or not."""

    def __init__(self, table: str) -> None:
        whole = prepared_for("random", "fifo", table, budget="{max: 1T}")
        inside = prepared_for("random", "fifo", table)
        assert whole.results is not None, "it replays"
        self.survey, self.results = whole.survey, whole.results
        self.inside = {
            inside.survey.architecture(one).name for one in range(len(inside.survey))
        }
        self.error = {
            network.name: statistics.mean(cell.metrics["val_error"] for cell in cells)
            for network, cells in self.results.cells.items()
        }
        self.most = float(inside.survey.costs.macs.max())
        self.best = min(self.error[name] for name in self.inside)


def bare_optuna(
    make: Callable[[int, Any], optuna.samplers.BaseSampler], table: Table, seed: int
) -> list[Point]:
    """Run Optuna alone on the box of all dimensions; trials report whether they are inside.

    Networks outside the budget are trained but are no result; repeated ones are trained again.
    """
    survey = table.survey
    study = optuna.create_study(sampler=make(seed, _outside))
    points: list[Point] = []
    running: list[tuple[float, int, optuna.Trial, str, float]] = []
    now = 0.0
    by_name = {survey.architecture(one).name: one for one in range(len(survey))}
    lookup = {tuple(row): one for one, row in enumerate(survey.indices().tolist())}
    for number in range(TRIALS):
        while len(running) >= WORKERS:
            now = _end_first(study, running, points, table)
        trial = study.ask()
        index = tuple(
            trial.suggest_int(each.name, 0, len(each.values) - 1) for each in survey.dimensions
        )
        network = survey.architecture(lookup[index])
        macs = survey.cost(by_name[network.name]).macs
        trial.set_user_attr("outside", float(macs) - table.most)
        cell = table.results.cell(network, 0, seed)
        due = now + sum(epoch.seconds for epoch in cell.epochs)
        heapq.heappush(running, (due, number, trial, network.name, cell.metrics["val_error"]))
    while running:
        _end_first(study, running, points, table)
    return points


def _end_first(
    study: optuna.Study, running: list[Any], points: list[Point], table: Table
) -> float:
    due, number, trial, name, error = heapq.heappop(running)
    study.tell(trial, error)
    if name in table.inside:
        points.append(Point(number, due, error, name))
    return float(due)


def _outside(trial: optuna.trial.FrozenTrial) -> tuple[float]:
    return (trial.user_attrs["outside"],)


BARE: dict[str, Callable[[int, Any], optuna.samplers.BaseSampler]] = {
    "bare Optuna, random": lambda seed, _: optuna.samplers.RandomSampler(seed=seed),
    "bare Optuna, TPE": lambda seed, outside: optuna.samplers.TPESampler(
        seed=seed, constraints_func=outside
    ),
    "bare Optuna, CMA-ES": lambda seed, _: optuna.samplers.CmaEsSampler(seed=seed),
}


def incumbents(points: Sequence[Point], table: Table) -> Iterator[dict[str, float]]:
    """What is lost with the best network so far, each time it changes.

    `trial` counts the networks that had begun, up to the last of those completed by then, as
    trials that run beside each other complete in another order than they begin.
    """
    best, begun = float("inf"), 0
    for point in points:
        begun = max(begun, point.trial + 1)
        if point.seen < best:
            best = point.seen
            lost = table.error[point.name] - table.best
            yield {"trial": begun, "seconds": point.seconds, "lost": lost}


def run(names: Sequence[str], seeds: int, out: Path, table_path: str) -> None:
    """Repeat each search with this many seeds; write one JSON file per search."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")  # Optuna's warnings about changes in 7.0
    out.mkdir(parents=True, exist_ok=True)
    table = Table(table_path)
    for name in names or [*OURS, *BARE]:
        began = time.monotonic()
        if name in BARE:
            searches = [bare_optuna(BARE[name], table, seed) for seed in range(seeds)]
        else:
            prepared = prepared_for(*OURS[name], table_path)
            searches = [search_once(prepared, seed) for seed in range(seeds)]
        runs = [
            {"incumbents": list(incumbents(points, table)), "ends": points[-1].seconds}
            for points in searches
        ]
        took = time.monotonic() - began
        path = out / f"{name.replace(', ', '_').replace(' ', '-')}.json"
        path.write_text(json.dumps({"name": name, "runs": runs}), encoding="utf-8")
        last = [one["incumbents"][-1]["lost"] for one in runs]
        print(f"{name}: {np.mean(last):.3f} lost at the end, {took:.0f} s", flush=True)


def main(argv: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.searches")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--out", type=Path, default=Path("searches"))
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--table", default="search/tables/digits")
    arguments = parser.parse_args(argv)
    run(arguments.only, arguments.seeds, arguments.out, arguments.table)


if __name__ == "__main__":
    main(sys.argv[1:])
