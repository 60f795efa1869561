"""An epoch end to end beside the plain PyTorch loop's, of the same networks, in one run.

    python -m benchmarks.train [--data data] [--images N] [--turns 5] [--threads N]
                               [--device cuda] [--paper] [--networks NAME ...] [--batch N ...]
                               [--bf16]

An epoch is training with augmentation, then validation on a ninth as many images. The plain
loop is torchvision's CIFAR100 with crop, flip, ToTensor and Normalize, a DataLoader with 2
workers, float32 and contiguous, SGD and CosineAnnealingLR, loss.item() in each step. All sides
train the same network from the same weights, each in its own process, and take turns; the first
epoch is the warm-up. A ratio is images/s divided by those of the network's first row (the plain
loop, except for ..._pool) in the same turn. Before any result is printed, it is checked that
all sides took the same steps at the same learning rates, and that their losses fell. Timm's
blocks are timed in our loop, compared with ours in a network (..._pool) that timm has too, so
that this ratio is of the blocks alone. Without CIFAR-100, noise of the same size is used.
"""

import argparse
import dataclasses
import math
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import torch
from rich.table import Table

from benchmarks.crews import Crew, Side, Turn, in_turns
from benchmarks.loops import Task, Work, with_recipe
from benchmarks.machine import machine
from benchmarks.noise import name_of
from res2net import Architecture, cost, parse
from res2net.consoles import console_of
from search.engine.meter import utilisation
from search.schema.data import Data, planned_data
from search.schema.training import PlannedTraining

_SMALL = ("res2net20_8w4s_16p_100classes", "resnet1.2.2_8w_8p_100classes")
_PAPER = "Res2NeXt-29-6c24w4s"
_EXECUTIONS = ("eager", "graphs", "compile")
_GPU_BATCHES = (128, 512, 1024)
_WHOLE, _SHORT = 45_000, 896  # images per epoch: on a GPU, on a CPU
_HELD_OUT = 9  # training images per validation image: 45,000 to 5,000 in CIFAR


class Row(NamedTuple):
    """One side compared with the network's first; one entry per turn, without warm-up."""

    network: str
    side: str
    batch: int
    seconds: tuple[float, ...]
    rates: tuple[float, ...]  # images/s of all trials together
    ratios: tuple[float, ...]
    memory: int  # peak bytes of one process
    used: float | None  # share of the GPU's nominal throughput, in training only
    preparation: float  # seconds


class DifferentWorkError(RuntimeError):
    """Two sides did different work, so their times cannot be compared."""


def main(argv: Sequence[str]) -> int:
    """Compare; print each row when it is measured, and the table at the end."""
    arguments = _parser().parse_args(argv)
    console = console_of(150)
    console.print(machine(torch.device(arguments.device), "torchvision", "pillow", "timm"))
    rows = []
    for task in tasks(arguments):
        images = f"{task.data.train:,} images, and {task.data.validation:,} to validate"
        console.print(f"{task.architecture.name}: an epoch is {images}")
        asked = sides(task, threads=arguments.threads)
        if arguments.bf16:
            asked = [side for side in asked if side.task.recipe.precision == "bf16"]
        for row in compare(asked, turns=arguments.turns):
            rows.append(row)
            console.print(" | ".join(_cells(row)))
    console.print(table(rows, turns=arguments.turns))
    return 0


def tasks(arguments: argparse.Namespace) -> Iterator[Task]:
    """The networks; on a GPU also the paper's, at increasing batch sizes."""
    gpu = arguments.device == "cuda"
    cases = [(name, 128) for name in _SMALL]
    if gpu or arguments.paper:
        cases += [(_PAPER, batch) for batch in (_GPU_BATCHES if gpu else (128,))]
    if arguments.networks:
        cases = [(name, batch) for name in arguments.networks for batch in arguments.batch]
    asked = arguments.images or (_WHOLE if gpu else _SHORT)
    for name, batch in cases:
        count = max(1, asked // batch) * batch  # whole batches: ours drops the rest
        yield Task(
            architecture=parse(name),
            recipe=PlannedTraining(
                epochs=arguments.turns + 1, batch_size=batch, crop=4, flip=True
            ),
            data=planned_data(
                Data(
                    name=name_of(arguments.data),
                    validation=max(1, count // _HELD_OUT),
                    train=count,
                )
            ),
            root=arguments.data,
            device=arguments.device,
        )


def sides(task: Task, *, threads: int) -> list[Side]:
    """All ways to train a task, the plain loop first."""
    gpu = task.device == "cuda"
    exact = with_recipe(task, precision="fp32")
    made = [
        Side("plain loop, fp32", "plain", exact, threads),
        Side("ours, bf16", "ours", task, threads),
        Side("ours, fp32", "ours", exact, threads),
    ]
    pool = task._replace(architecture=_pooling(task))
    if all(scale > 1 for scale in pool.architecture.scales):  # only these equal timm's
        made += [
            Side("ours, bf16", "ours", pool, threads),
            Side("timm's blocks in our loop, bf16", "timm", pool, threads),
        ]
    if gpu and task.architecture == parse(_PAPER):
        made += [
            Side(f"ours, bf16, {how}", "ours", with_recipe(task, execution=how), threads)
            for how in _EXECUTIONS
        ]
    if not gpu:
        together = f"{threads} of ours side by side, 1 thread each"
        made += [
            Side(f"{together}, {dtype}", "ours", each, 1, beside=threads)
            for dtype, each in (("bf16", task), ("fp32", exact))
        ]
    return made


def compare(asked: Sequence[Side], *, turns: int) -> list[Row]:
    """Run epochs of all sides in turns.

    Raises:
        DifferentWorkError: they did different work.
    """
    with ExitStack() as held:
        crews = [held.enter_context(Crew(side)) for side in asked]
        taken = in_turns(crews, turns)
    works = {
        f"{side.name}, trial {trial}": [turn.reports[trial].work for turn in each]
        for side, each in zip(asked, taken, strict=True)
        for trial in range(side.beside)
    }
    check(works)
    first: dict[Architecture, list[Turn]] = {}
    for side, each in zip(asked, taken, strict=True):
        first.setdefault(side.task.architecture, each)
    return [
        _row(side, each[1:], first[side.task.architecture][1:])
        for side, each in zip(asked, taken, strict=True)
    ]


def check(works: dict[str, list[Work]]) -> None:
    """Check that all did the same work in every epoch, and that losses fell.

    Raises:
        DifferentWorkError: states which side did not, and in what.
    """
    (first, plain), *_ = works.items()
    for name, epochs in works.items():
        for ours, theirs in zip(epochs, plain, strict=True):
            for what in ("trained", "validated"):
                if getattr(ours, what) != getattr(theirs, what):
                    raise DifferentWorkError(f"{name}: {what} other images than {first}")
            if not _alike(ours.rates, theirs.rates):
                raise DifferentWorkError(f"{name}: other steps or rates than {first}")
        if not epochs[-1].loss < epochs[0].loss:
            shown = f"{epochs[0].loss:.3f} to {epochs[-1].loss:.3f}"
            raise DifferentWorkError(f"{name}: its loss went from {shown}")


def _alike(ours: Sequence[float], theirs: Sequence[float]) -> bool:
    return len(ours) == len(theirs) and all(
        math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)
        for a, b in zip(ours, theirs, strict=True)
    )


def _pooling(task: Task) -> Architecture:
    return dataclasses.replace(task.architecture, first_block="pool")


def _row(side: Side, turns: Sequence[Turn], first: Sequence[Turn]) -> Row:
    task = side.task
    reports = [report for turn in turns for report in turn.reports]
    training = statistics.median(report.work.images_per_s for report in reports)
    macs = cost(task.architecture, image_size=task.data.resolution).macs
    return Row(
        task.architecture.name,
        side.name,
        task.recipe.batch_size,
        tuple(turn.seconds for turn in turns),
        tuple(turn.images_per_s for turn in turns),
        tuple(a.images_per_s / b.images_per_s for a, b in zip(turns, first, strict=True)),
        max(report.memory for report in reports),
        utilisation(torch.device(task.device), macs=macs, images_per_s=training),
        max(report.work.preparation for report in reports),
    )


def table(rows: Sequence[Row], *, turns: int) -> Table:
    """Tabulate all rows: medians, and quartiles of the ratio."""
    made = Table(
        title=f"An epoch with validation, median of {turns} turns; ratio to its first row"
    )
    columns = ("network", "side", "batch", "epoch", "images/s", "ratio (quartiles)")
    for place, column in enumerate((*columns, "peak memory", "MFU", "compiling")):
        made.add_column(column, justify="left" if place < 2 else "right")
    for row in rows:
        made.add_row(*_cells(row))
    return made


def _cells(row: Row) -> tuple[str, ...]:
    low, middle, high = statistics.quantiles(row.ratios, n=4, method="inclusive")
    return (
        row.network,
        row.side,
        str(row.batch),
        f"{statistics.median(row.seconds):.2f} s",
        f"{statistics.median(row.rates):,.0f}",
        f"{middle:.2f} ({low:.2f}-{high:.2f})",
        f"{row.memory / 2**20:,.0f} MiB",
        "" if row.used is None else f"{100 * row.used:.1f} %",
        f"{row.preparation:.1f} s" if row.preparation else "",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = "cuda" if torch.cuda.is_available() else "cpu"
    threads = torch.get_num_threads()
    parser.add_argument("--data", type=Path, default=Path("data"), help="holds the data sets")
    parser.add_argument("--device", choices=("cpu", "cuda"), default=default)
    parser.add_argument(
        "--images", type=int, metavar="N", help="of an epoch; 896, on a GPU 45,000"
    )
    parser.add_argument("--turns", type=int, choices=range(2, 101), default=5, metavar="N")
    parser.add_argument("--threads", type=int, default=threads, metavar="N", help="of a side")
    parser.add_argument("--paper", action="store_true", help=f"on a CPU too: {_PAPER}")
    parser.add_argument("--networks", nargs="+", metavar="NAME", help="in the place of these")
    parser.add_argument(
        "--batch", type=int, nargs="+", default=[128], metavar="N", help="of --networks"
    )
    parser.add_argument(
        "--bf16", action="store_true", help="no fp32: large batches take much memory in it"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
