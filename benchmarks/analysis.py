"""Times the analysis of a run with many trials: each table and figure, and the whole report.

    python -m benchmarks.analysis [--trials 10000] [--epochs 100] [--turns 3]

The journal is synthetic (`benchmarks.journals`). Each part is timed including reading the run's
tables anew.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from rich.table import Table

from analysis import report
from analysis.cards.card import Card
from analysis.cards.deck import OF_A_RUN
from analysis.plots.curves import draw_curves
from analysis.plots.pareto import draw_pareto
from analysis.plots.space import (
    draw_distributions,
    draw_importance,
    draw_marginals,
    draw_parallel,
)
from analysis.plots.style import save
from analysis.questions import curves
from analysis.questions.distribution import best_ranges, distributions
from analysis.questions.importance import importance
from analysis.questions.marginals import best_by_value, marginals
from analysis.runs.networks import averaged, by_network
from analysis.runs.run import Run, read_run
from benchmarks.journals import write
from benchmarks.machine import machine
from res2net.consoles import console_of

_SPACE = """\
# How long does analysis take?
study: many
network:
  depth: [20, 29, 38, 47, 56]
  cardinality: [1, 2, 4, 6, 8, 12]
  scale: [1, 2, 3, 4, 5, 6]
  width: {from: 4, to: 124}
data: {name: cifar100, validation: 5000}
training: {epochs: EPOCHS}
search: {sampler: random, trials: TRIALS}
"""
_SHOWN = ("depth", "width", "scale", "cardinality", "macs", "params")


def main(argv: Sequence[str]) -> int:
    """Write a journal, time every part and print the table."""
    parser = argparse.ArgumentParser("python -m benchmarks.analysis")
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--turns", type=int, default=3)
    asked = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "run"
        text = _SPACE.replace("EPOCHS", str(asked.epochs)).replace("TRIALS", str(asked.trials))
        write(folder, text, trials=asked.trials)
        table = Table(title=f"{asked.trials:,} trials of {asked.epochs} epochs")
        for column in ("part", "seconds, median", "least to most"):
            table.add_column(column, justify="left" if column == "part" else "right")
        for name, part in parts(folder).items():
            taken = [_seconds(part) for _ in range(asked.turns)]
            spread = f"{min(taken):.2f} to {max(taken):.2f}"
            table.add_row(name, f"{statistics.median(taken):.2f}", spread)
        console = console_of(100)
        console.print(table)
        size = (folder / "report.html").stat().st_size
        console.print(f"the report has {size / 2**20:.2f} MiB; n = {asked.turns} turns")
        console.print(machine(torch.device("cpu"), "pandas", "matplotlib", "optuna"))
    return 0


def parts(folder: Path) -> dict[str, Callable[[], object]]:
    """The parts to time, by name; each reads the run anew."""

    def figure(draw: Callable[[Run], object]) -> Callable[[], object]:
        return lambda: draw(read_run(folder))

    def drawn(name: str, made: object) -> object:
        return save(made, folder / "figures" / name)  # type: ignore[arg-type]  # a figure

    rng = np.random.default_rng
    return {
        "reading the trials": lambda: read_run(folder),
        "reading the epochs": lambda: read_run(folder).epochs,
        "the Pareto front": figure(
            lambda run: drawn("pareto", draw_pareto(by_network(run), run.compared, title=""))
        ),
        "learning curves": figure(
            lambda run: drawn(
                "curves",
                draw_curves(curves.band(run), curves.best(run), run.ranking, title=""),
            )
        ),
        "best by value, marginals": figure(
            lambda run: (
                best_by_value(run),
                drawn("marginals", draw_marginals(marginals(run), run.ranking, title="")),
            )
        ),
        "importance": figure(
            lambda run: drawn(
                "importance", draw_importance(importance(run, rng=rng(0)), title="")
            )
        ),
        "distributions, best ranges": figure(
            lambda run: (
                best_ranges(run),
                drawn(
                    "edf",
                    draw_distributions(distributions(run, rng=rng(0)), run.ranking, title=""),
                ),
            )
        ),
        "networks as lines": figure(
            lambda run: drawn(
                "lines", draw_parallel(averaged(run), _SHOWN, run.ranking, title="")
            )
        ),
        **{f"card: {make.__name__}": figure(_drawn_card(make)) for make in OF_A_RUN},
        "the whole report": lambda: report.main([str(folder)]),
    }


def _drawn_card(make: Callable[[Run], Card]) -> Callable[[Run], object]:
    return lambda run: [one.draw() for one in make(run).shown if one.draw]


def _seconds(part: Callable[[], object]) -> float:
    begin = time.perf_counter()
    part()
    return time.perf_counter() - begin


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
