"""Times resuming a long study: from the command to the start of the first trial.

    python -m benchmarks.resume [--trials 10000] [--epochs 20] [--turns 5]

The journal is synthetic (`benchmarks.journals`) and has all its trials except the last hundred.
Each side resumes its own copy, in turns, and is stopped at its first line about a trial.
"""

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from rich.table import Table

from benchmarks.journals import write
from benchmarks.machine import machine
from benchmarks.memory import peak
from res2net.consoles import console_of

_LEFT = 100  # trials left to run
_SPACE = """\
# How soon does a long study run again?
study: long
network:
  skeleton: cifar
  planes: 2
  depth: [11, 20, 29, 38, 47, 56, 65, 74, 83, 92]
  cardinality: {from: 1, to: 12}
  scale: {from: 1, to: 8}
  width: {from: 1, to: 24}
data: {name: digits, validation: 200}
training: {epochs: EPOCHS, batch_size: 32, lr: 0.1, precision: fp32}
search: {sampler: random, trials: TRIALS}
"""
_SIDES = {
    f"{sampler}, {where}": (f"search.sampler={sampler}", *how)
    for sampler in ("random", "tpe")
    for where, how in (("inline", ("--inline",)), ("on Ray", ()))
}


class Start(NamedTuple):
    """Seconds to the first line about a trial, and the driver's peak memory in bytes."""

    seconds: float
    memory: int


def main(argv: Sequence[str]) -> int:
    """Write a journal, time every side in turns and print the table."""
    parser = argparse.ArgumentParser("python -m benchmarks.resume")
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--turns", type=int, default=5)
    asked = parser.parse_args(argv)
    text = _SPACE.replace("EPOCHS", str(asked.epochs))
    text = text.replace("TRIALS", str(asked.trials + _LEFT))
    table = Table(title=f"{asked.trials:,} trials of {asked.epochs} epochs have ended")
    for column in ("side", "seconds, median", "least to most", "memory of the driver"):
        table.add_column(column, justify="left" if column == "side" else "right")
    with tempfile.TemporaryDirectory() as scratch:
        folders = {}
        for i, (name, (sampler, *_)) in enumerate(_SIDES.items()):
            folders[name] = Path(scratch) / str(i)
            own = text.replace("random", sampler.rpartition("=")[2])
            write(folders[name], own, trials=asked.trials)
        taken: dict[str, list[Start]] = {name: [] for name in _SIDES}
        for _ in range(asked.turns):
            for name, (_, *how) in _SIDES.items():
                taken[name].append(_start(folders[name], how))
    for name, starts in taken.items():
        times = [start.seconds for start in starts]
        table.add_row(
            name,
            f"{statistics.median(times):.2f}",
            f"{min(times):.2f} to {max(times):.2f}",
            f"{max(start.memory for start in starts) / 2**20:,.0f} MiB",
        )
    console = console_of(100)
    console.print(table)
    console.print(f"n = {asked.turns} turns; {machine(torch.device('cpu'), 'ray', 'optuna')}")
    return 0


def _start(folder: Path, how: Sequence[str]) -> Start:
    """Resume a copy of a run until its first trial starts."""
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    command = [sys.executable, "-m", "search.run", str(copy / "asked.yaml"), "--out", str(copy)]
    begin = time.monotonic()
    process = subprocess.Popen(
        [*command, *how],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("trial "):
            break
    seconds = time.monotonic() - begin
    assert said[-1].startswith("trial "), "".join(said)
    memory = peak(process.pid)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    shutil.rmtree(copy)
    return Start(seconds, memory)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
