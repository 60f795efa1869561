"""Measures what grows with the number of trials of a study, and extrapolates it linearly.

    python -m benchmarks.scale [--trials 1000 5000 10000] [--epochs 20] [--far 100000]

The journals are synthetic (`benchmarks.journals`); they are read by separate processes, whose
CPU seconds and memory are measured. Values beyond the largest size are extrapolated.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from rich.table import Table

from benchmarks.journals import write
from benchmarks.machine import machine
from benchmarks.resume import _SPACE
from res2net.consoles import console_of
from search.study.journal import FILE

# A process's usage initially includes its parent's peak memory; its own is in /proc.
_TOLD = """
import atexit, sys; from pathlib import Path
atexit.register(lambda: print(Path("/proc/self/status").read_text(encoding="utf-8")))
"""
_SUMMARY = """
from analysis.summary import main
main([sys.argv[1]])
"""
_REPLAY = """
from search.space.load import load_space
from search.space.resolve import resolve
from search.study.journal import Journal
from search.study.study import Study
folder = Path(sys.argv[1])
with Journal(folder) as journal:
    study = Study(*resolve(*load_space(folder / "asked.yaml")), journal)
"""
_ASKS = 20  # proposals timed, each of another network


class Spent(NamedTuple):
    """What a process used: CPU seconds, and peak memory in MiB."""

    seconds: float
    memory: float


def main(argv: Sequence[str]) -> int:
    """Measure every size, and print a table with a column for the extrapolation."""
    parser = argparse.ArgumentParser("python -m benchmarks.scale")
    parser.add_argument("--trials", type=int, nargs="+", default=[1000, 5000, 10_000])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--far", type=int, default=100_000)
    asked = parser.parse_args(argv)
    rows: dict[str, list[float]] = {}
    for trials in asked.trials:
        for what, value in measured(trials, asked.epochs).items():
            rows.setdefault(what, []).append(value)
    console = console_of(110)
    console.print(table(asked.trials, rows, far=asked.far))
    console.print(machine(torch.device("cpu"), "optuna"))
    return 0


def measured(trials: int, epochs: int) -> dict[str, float]:
    """Measurements for a study of this many trials, by name."""
    text = _SPACE.replace("EPOCHS", str(epochs)).replace("TRIALS", str(trials + 1))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "run"
        write(folder, text, trials=trials)
        size = (folder / FILE).stat().st_size
        replay = _spent(_REPLAY, folder)
        summary = _spent(_SUMMARY, folder)
        ask = _ask_seconds(folder)
    return {
        "journal, MiB": size / 2**20,
        "replay, CPU s": replay.seconds,
        "driver after replay, MiB": replay.memory,
        "tables and figure, CPU s": summary.seconds,
        "tables and figure, MiB": summary.memory,
        "a proposal of TPE, ms": 1e3 * ask,
    }


def table(trials: Sequence[int], rows: dict[str, list[float]], *, far: int) -> Table:
    """Tabulate one column per size, the slope of a line, and its extrapolation."""
    made = Table(title="what grows with the trials of a study")
    for column in (
        "",
        *(f"{n:,}" for n in trials),
        "per 1,000 more",
        f"{far:,} (extrapolated)",
    ):
        made.add_column(column, justify="right" if column else "left")
    for what, values in rows.items():
        slope, begin = np.polyfit(trials, values, 1) if len(trials) > 1 else (np.nan, np.nan)
        numbers = [*values, 1000 * slope, begin + far * slope]
        made.add_row(what, *(f"{number:,.2f}" for number in numbers))
    return made


def _spent(code: str, folder: Path) -> Spent:
    command = [sys.executable, "-c", _TOLD + code, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as output:
        said = output.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said
    memory = int(said.partition("VmHWM:")[2].split()[0])
    return Spent(used.ru_utime + used.ru_stime, memory / 2**10)


def _ask_seconds(folder: Path) -> float:
    """Seconds of a proposal with many known trials, without the first, which passes them."""
    from search.samplers.base import Outcome  # noqa: PLC0415 - imports Optuna
    from search.samplers.optunas import tpe  # noqa: PLC0415
    from search.space.load import load_space  # noqa: PLC0415
    from search.space.resolve import resolve  # noqa: PLC0415

    plan, survey = resolve(*load_space(folder / "asked.yaml"))
    sampler = tpe(survey, seed=0, objectives=tuple(plan.objectives))
    rng = np.random.default_rng(0)
    for candidate in map(int, rng.permutation(len(survey))[: plan.search.trials - 1]):
        sampler.take(candidate)
        values = tuple(float(rng.normal(50, 5)) for _ in plan.objectives)
        sampler.tell(candidate, Outcome("complete", values, plan.training.epochs))
    sampler.propose(plan.search.trials - 1)
    begin = time.process_time()
    for number in range(_ASKS):
        sampler.propose(plan.search.trials + number)
    return (time.process_time() - begin) / _ASKS


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
