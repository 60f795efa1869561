"""Tests on the included table if TPE finds in 60 networks what random search finds in 200.

python -m benchmarks.fewer [--seeds 200] [--out FILE.csv] [--table PATH]

Replays pairs of searches with the same seed. "Lost" is the error (mean over both trials in the
table) of the network that looked best to the search, minus the lowest error of any network
inside the budget. The rules are in docs/evidence.md and were fixed before the first search.
"""

import argparse
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import optuna
import pandas as pd

from benchmarks.searches import SPACE, WORKERS, Point, Table, search_once
from benchmarks.searches_drawn import interval
from search.preparation import Prepared, open_space, prepare

_SEARCHES = {
    "tpe, 60": ("tpe", 60),
    "random, 60": ("random", 60),
    "random, 200": ("random", 200),
}
_BUDGETS = {"no budget": "{max: 1T}", "1.2 M multiply-adds": "{max: 1.2M}"}
_NEAR = 0.5  # points of error


def prepared_for(sampler: str, trials: int, budget: str, table: str) -> Prepared:
    """Prepare the replay of a search of the space with this many networks."""
    return prepare(
        open_space(
            SPACE,
            (
                f"budget.macs={budget}",
                f"search={{sampler: {sampler}, trials: {trials}, seeds: 1}}",
                f"execution={{replay: [{table}], workers: {WORKERS}}}",
            ),
        )
    )


def lost(points: Sequence[Point], error: dict[str, float], best: float) -> float:
    """Error of the network that looked best (first of equals) minus the lowest error."""
    return error[min(points, key=lambda point: point.seen).name] - best


def compare(budget: str, seeds: int, table: str) -> pd.DataFrame:
    """One row per seed: what each search loses inside a budget."""
    error = Table(table).error
    columns = {}
    for name, (sampler, trials) in _SEARCHES.items():
        prepared = prepared_for(sampler, trials, _BUDGETS[budget], table)
        inside = {prepared.survey.architecture(one).name for one in range(len(prepared.survey))}
        best = min(error[one] for one in inside)
        columns[name] = [
            lost(search_once(prepared, seed), error, best) for seed in range(seeds)
        ]
    return pd.DataFrame({"budget": budget, "seed": range(seeds), **columns})


def say(found: pd.DataFrame) -> None:
    """Print what each search loses, and the planned differences."""
    for budget, rows in found.groupby("budget", sort=False):
        print(f"{budget}, n = {len(rows)} pairs")
        for name in _SEARCHES:
            low, high = interval(rows[name].to_numpy())
            near = (rows[name].round(6) <= _NEAR).mean()  # so that 0.5 in floats counts
            print(
                f"  {name}: {rows[name].mean():.2f} points lost ({low:.2f} to {high:.2f}); "
                f"within {_NEAR} of the best in {near:.0%}"
            )
        for other in ("random, 200", "random, 60"):
            difference = (rows["tpe, 60"] - rows[other]).to_numpy()
            low, high = interval(difference)
            print(
                f"  tpe, 60 less {other}: {difference.mean():+.2f} ({low:+.2f} to {high:+.2f})"
            )


def main(argv: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.fewer")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--table", default="search/tables/digits")
    arguments = parser.parse_args(argv)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")  # Optuna's warnings about changes in 7.0
    found = pd.concat(
        [compare(budget, arguments.seeds, arguments.table) for budget in _BUDGETS]
    )
    if arguments.out:
        found.to_csv(arguments.out, index=False, float_format="%.4f")
    say(found)


if __name__ == "__main__":
    main(sys.argv[1:])
