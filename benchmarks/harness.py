"""Times the overhead of a harness: trials that learn nothing, in ours, Ray Tune and Optuna.

    python -m benchmarks.harness [--trials 100 1000 5000] [--turns 3] [--only SIDE ...]

Every side runs in its own process, in turns. The rate is measured from the first to the last
end of a trial, so it excludes starting; `full` is the time at which every slot has its worker.
A plain Tuner with its defaults starts a process for each trial and is given only a few trials.
See `benchmarks.harness_sides`.
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
from rich.table import Table

from benchmarks.harness_sides import BEGIN, NODES, SIDES, SLOTS
from benchmarks.machine import machine
from res2net.consoles import console_of

# Maximum number of trials of sides that would take minutes; and each side's reference.
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
        rate: trials per second.
        first: seconds until the first trial ended.
        full: seconds until every slot had its worker; None if there are no workers.
        memory: peak memory of the deciding process, in bytes.
    """

    rate: float
    first: float
    full: float | None
    memory: int


def main(argv: Sequence[str]) -> int:
    """Time every side for every number of trials, in turns, and print a table for each."""
    parser = argparse.ArgumentParser("python -m benchmarks.harness")
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 1000, 5000])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=SIDES, default=list(SIDES))
    asked = parser.parse_args(argv)
    console = console_of(110)
    for trials in asked.trials:
        console.print(table(trials, compare(asked.only, trials=trials, turns=asked.turns)))
    console.print(f"n = {asked.turns} turns; {machine(torch.device('cpu'), 'ray', 'optuna')}")
    return 0


def compare(sides: Iterable[str], *, trials: int, turns: int) -> dict[str, list[Run]]:
    """Run all sides in turns.

    Args:
        sides: names from `SIDES`.
        trials: number of trials of each; fewer for sides that would take minutes.
        turns: number of turns of each.
    """
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    for _ in range(turns):
        for name, done in runs.items():
            done.append(_run(name, min(trials, _MOST.get(name, trials))))
            # The whole takes minutes; intermediate results must not be lost if it is stopped.
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
    """Tabulate medians, ranges, and ratios to the reference by turn."""
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
