"""Runs each side of a comparison in its own processes: one or several trials side by side.

A process is idle while another side has its turn, and has its own memory.
"""

import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Literal, NamedTuple, Self

import torch

from benchmarks.loops import Loop, OurLoop, PlainLoop, Task, Work
from search.engine.meter import Meter

Kind = Literal["plain", "ours", "timm"]


class Side(NamedTuple):
    """A way to train a task: by which code, with how many threads, how many at once."""

    name: str
    kind: Kind
    task: Task
    threads: int
    beside: int = 1


class Report(NamedTuple):
    """An epoch of one process, and its peak memory so far, in bytes."""

    work: Work
    memory: int


class Turn(NamedTuple):
    """An epoch of all trials of a side; seconds from the first start to the last end."""

    seconds: float
    reports: tuple[Report, ...]

    @property
    def images_per_s(self) -> float:
        """Training images of all trials per second of the whole epoch, including validation."""
        return sum(report.work.trained for report in self.reports) / self.seconds


class Crew:
    """The processes of one side; the first turn waits until they have loaded their images."""

    def __init__(self, side: Side) -> None:
        context = multiprocessing.get_context("spawn")
        self._lines: list[Connection] = []
        self._processes = []
        for _ in range(side.beside):
            line, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(side, theirs))
            process.start()
            theirs.close()  # so that the process's end is noticed here
            self._lines.append(line)
            self._processes.append(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for line in self._lines:
            line.close()
        for process in self._processes:
            process.join()

    def turn(self) -> Turn:
        """Run the next epoch in all processes at once."""
        begin = time.perf_counter()
        for line in self._lines:
            line.send("epoch")
        reports = tuple(line.recv() for line in self._lines)
        return Turn(time.perf_counter() - begin, reports)


def make_loop(side: Side) -> Loop:
    """Make the loop of one trial, ready for its first epoch."""
    if side.kind == "plain":
        return PlainLoop(side.task)
    if side.kind == "ours":
        return OurLoop(side.task)
    from benchmarks.block import stacked  # noqa: PLC0415 - imports timm, only for this side

    return OurLoop(side.task, stacked(side.task.architecture))


def _serve(side: Side, line: Connection) -> None:
    """Serve in a process: run an epoch at each request, until the connection is closed."""
    torch.set_num_threads(side.threads)
    meter = Meter(torch.device(side.task.device), alone=False)
    loop = make_loop(side)
    while True:
        try:
            line.recv()
        except EOFError:
            return
        work = loop.epoch()
        line.send(Report(work, meter.read().peak_memory or 0))
        torch.cuda.empty_cache()  # sides take turns on one GPU, which cannot hold all of them


def in_turns(crews: Sequence[Crew], count: int) -> list[list[Turn]]:
    """Run turns of all crews with alternating order; the first turn is the warm-up."""
    turns: list[list[Turn]] = [[crew.turn()] for crew in crews]
    for number in range(count):
        places = range(len(crews))
        for place in reversed(places) if number % 2 else places:
            turns[place].append(crews[place].turn())
    return turns
