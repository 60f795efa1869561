"""Times what a harness costs: trials that learn nothing, ours beside Ray Tune and Optuna.

    python -m benchmarks.harness [--trials 100 1000 5000] [--turns 3] [--only SIDE ...]

Every side is a process of its own, in turns. The rate is from the first end of a trial to the
last, so that starting is no part of it; `full` is when every slot has its worker. A plain Tuner
with its defaults starts a process for each trial and gets few of them. See
`benchmarks.harness_sides`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.harness_sides import BEGIN, NODES, SIDES, SLOTS
from benchmarks.machine import machine

# Trials at most, of sides that would take minutes; and what each is compared with.
_MOST = {"bare": 20, "ours, nodes": 400, "bare, nodes": 400}
_PEERS = {
    "ours on Ray": "bare, our settings",
    "bare, reused actors": "bare, our settings",
    "bare": "bare, our settings",
    "ours --inline": "Optuna alone",
    "ours, nodes": "bare, nodes",
}
_SLOTS = dict.fromkeys(SIDES, SLOTS) | {"ours, nodes": NODES, "bare, nodes": NODES}


class Run(NamedTuple):
    """One run of a side.

    Attributes:
        rate: trials a second.
        first: seconds to the first end.
        full: seconds until every slot had its worker; None where there are none.
        memory: the most of the process that decides, in bytes.
    """

    rate: float
    first: float
    full: float | None
    memory: int


def main(argv: Sequence[str]) -> int:
    """Time every side at every number of trials, in turns, and print a table of each."""
    parser = argparse.ArgumentParser("python -m benchmarks.harness")
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 1000, 5000])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=SIDES, default=list(SIDES))
    asked = parser.parse_args(argv)
    console = Console(width=110)
    for trials in asked.trials:
        console.print(table(trials, compare(asked.only, trials=trials, turns=asked.turns)))
    console.print(f"n = {asked.turns} turns; {machine(torch.device('cpu'), 'ray', 'optuna')}")
    return 0


def compare(sides: Iterable[str], *, trials: int, turns: int) -> dict[str, list[Run]]:
    """All sides in turns.

    Args:
        sides: names of `SIDES`.
        trials: of each, fewer of those that take minutes.
        turns: of each.
    """
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    for _ in range(turns):
        for name, done in runs.items():
            done.append(_run(name, min(trials, _MOST.get(name, trials))))
            # The whole takes minutes: what there is already is not lost where it is stopped.
            print(f"{name}, {trials} trials: {done[-1]}", file=sys.stderr, flush=True)
    return runs


def _run(side: str, trials: int) -> Run:
    command = [sys.executable, "-m", "benchmarks.harness_sides", side, str(trials)]
    environment = os.environ | {BEGIN: str(time.time())}
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    told = json.loads(said.stdout.splitlines()[-1])
    ends, ready = told["ends"], told["ready"]
    assert len(ends) == trials, f"{side}: {len(ends)} of {trials} trials ended"
    slots = _SLOTS[side]
    full = ready[slots - 1] if len(ready) >= slots else None
    return Run((trials - 1) / (ends[-1] - ends[0]), ends[0], full, told["memory"])


def table(trials: int, runs: dict[str, list[Run]]) -> Table:
    """Medians, least to most, and the ratio to the peer, turn by turn."""
    made = Table(title=f"{trials:,} trials that learn nothing")
    titles = (
        "side",
        "n",
        "trials/s",
        "least to most",
        "of",
        "ratio",
        "first end",
        "full",
        "memory",
    )
    for column in titles:
        made.add_column(column, justify="left" if column in ("side", "of") else "right")
    for name, done in runs.items():
        rates = [run.rate for run in done]
        peer = _PEERS.get(name, "")
        ratios = [a.rate / b.rate for a, b in zip(done, runs.get(peer, []), strict=False)]
        full = [run.full for run in done if run.full is not None]
        made.add_row(
            name,
            f"{min(trials, _MOST.get(name, trials)):,}",
            f"{statistics.median(rates):,.1f}",
            f"{min(rates):,.1f} to {max(rates):,.1f}",
            peer if ratios else "",
            f"{statistics.median(ratios):.2f}" if ratios else "",
            f"{statistics.median(run.first for run in done):.1f} s",
            f"{statistics.median(full):.1f} s" if full else "",
            f"{max(run.memory for run in done) / 2**20:,.0f} MiB",
        )
    return made


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
