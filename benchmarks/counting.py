"""Counting a network's multiply-adds beside fvcore and torch's own counter, in one run.

    python -m benchmarks.counting [--turns 7] [--networks NAME ...] [--grid N]

Ours counts from the description. The others need a network to run: built with its weights for
fvcore, on the meta device for torch's counter; their rows are with and without building. Each
turn times every method on one network after another; the ratio is their time divided by ours in
the same turn. Then a whole space of candidates is surveyed (each one counted and compared with
the budget) as many times, after the others have counted a sample of the same space, of at most
4 G multiply-adds each, because they must hold the weights. If any count differs by a single
multiply-add, the benchmark stops.
"""

import argparse
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from fvcore.nn import FlopCountAnalysis
from rich.table import Table
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.machine import machine
from res2net import Architecture, build, cost, parse
from res2net.consoles import console_of
from search.schema.study_plan import StudyPlan
from search.space.survey import survey

_NETWORKS = (
    "res2net20_8w4s_16p_100classes",
    "Res2NeXt-29-6c24w4s",
    "Res2Net-50-26w-4s",
    "Res2Net-101-26w-4s",
)
_REPEATED = 200  # counts by ours per turn: one is too short for the clock
_SAMPLE = 5  # candidates of the space counted by the others
_A_WIDTH, _MOST_WIDTHS = 20 * 20 * 5, 500  # candidates per width in the space


class Subject(NamedTuple):
    """A network and the side of its images in pixels, and its module if it is built."""

    network: Architecture
    side: int
    module: nn.Module | None = None


class Way(NamedTuple):
    """A way to count: what is prepared before timing starts, and what gives the count."""

    name: str
    given: Callable[[Subject], Subject]
    count: Callable[[Subject], int]
    repeated: int = 1


class Row(NamedTuple):
    """One way compared with ours; seconds to count a network once, by turn."""

    network: str
    way: str
    seconds: tuple[float, ...]
    ratios: tuple[float, ...]
    macs: int


class DifferentCountError(RuntimeError):
    """Two ways give different counts for a network."""


def main(argv: Sequence[str]) -> int:
    """Count, and print a table."""
    arguments = _parser().parse_args(argv)
    console = console_of(130)
    console.print(machine(torch.device("cpu"), "fvcore", "numpy"))
    rows = []
    for name in arguments.networks:
        network = parse(name)
        rows += compare(name, [Subject(network, network.image_size)], turns=arguments.turns)
    rows += compare_grid(space(arguments.grid), turns=arguments.turns)
    console.print(table(rows, turns=arguments.turns))
    return 0


def ways() -> tuple[Way, ...]:
    """All ways to count, ours first."""
    return (
        Way("res2net.cost", _described, _by_formula, _REPEATED),
        Way("torch, built before", _on_meta, _by_torch),
        Way("torch, building too", _described, _by_torch),
        Way("fvcore, built before", _built, _by_fvcore),
        Way("fvcore, building too", _described, _by_fvcore),
    )


def compare(name: str, subjects: Sequence[Subject], *, turns: int) -> list[Row]:
    """Time every way to count some networks, in turns; seconds are per network.

    Raises:
        DifferentCountError: a way's count differs from ours.
    """
    every = ways()
    given = [[way.given(subject) for subject in subjects] for way in every]
    seconds: list[list[float]] = [[] for _ in every]
    totals = [0] * len(every)
    for number in range(-1, turns):  # the first warms up
        places = range(len(every))
        for place in reversed(places) if number % 2 else places:
            taken, totals[place] = _timed(every[place], given[place])
            if number >= 0:
                seconds[place].append(taken / len(subjects))
    return _rows(name, [way.name for way in every], seconds, totals)


def compare_grid(config: StudyPlan, *, turns: int) -> list[Row]:
    """Time surveys of a whole space, and the others' counts of a sample of it.

    Raises:
        DifferentCountError: the survey's cost of a sampled network differs from theirs.
    """
    found = survey(config)
    chosen = np.linspace(0, len(found) - 1, _SAMPLE).astype(int).tolist()
    side = config.data.resolution
    sample = [Subject(found.architecture(candidate), side) for candidate in chosen]
    name = f"{_SAMPLE} of {found.total:,}"
    one, *others = compare(name, sample, turns=turns)
    counted = sum(found.cost(candidate).macs for candidate in chosen)
    seconds = []
    for _ in range(turns):
        begin = time.perf_counter()
        survey(config)
        seconds.append((time.perf_counter() - begin) / found.total)
    return _rows(
        name,
        ["search.space.survey", *(row.way for row in (one, *others))],
        [seconds, *(row.seconds for row in (one, *others))],
        [counted, *(row.macs for row in (one, *others))],
    )


def space(candidates: int) -> StudyPlan:
    """A space of at least this many candidates, up to a million."""
    widths = max(1, min(_MOST_WIDTHS, -(-candidates // _A_WIDTH)))
    return StudyPlan.model_validate(
        {
            "study": "counting",
            "network": {
                "depth": (20, 29, 38, 47, 56),
                "cardinality": tuple(range(1, 21)),
                "scale": tuple(range(1, 21)),
                "width": tuple(range(1, widths + 1)),
            },
            "budget": {"macs": {"max": "4.0G"}},
            "data": {"name": "cifar100", "validation": 5000},
            "training": {"epochs": 60},
            "search": {"trials": 100},
        }
    )


def _timed(way: Way, given: Sequence[Subject]) -> tuple[float, int]:
    begin = time.perf_counter()
    for _ in range(way.repeated):
        total = sum(way.count(one) for one in given)
    return (time.perf_counter() - begin) / way.repeated, total


def _rows(
    name: str,
    names: Sequence[str],
    seconds: Sequence[Sequence[float]],
    totals: Sequence[int],
) -> list[Row]:
    for way, total in zip(names, totals, strict=True):
        if total != totals[0]:
            raise DifferentCountError(
                f"{name}: {way} counts {total:,}, {names[0]} {totals[0]:,}"
            )
    return [
        Row(
            name,
            way,
            tuple(taken),
            tuple(theirs / ours for theirs, ours in zip(taken, seconds[0], strict=True)),
            total,
        )
        for way, taken, total in zip(names, seconds, totals, strict=True)
    ]


def _described(subject: Subject) -> Subject:
    return subject


def _on_meta(subject: Subject) -> Subject:
    return subject._replace(module=build(subject.network, device="meta").eval())


def _built(subject: Subject) -> Subject:
    return subject._replace(module=build(subject.network).eval())


def _by_formula(subject: Subject) -> int:
    return cost(subject.network, image_size=subject.side).macs


def _by_torch(subject: Subject) -> int:
    module = subject.module or _on_meta(subject).module
    assert module is not None, "built"
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.empty(1, 3, subject.side, subject.side, device="meta"))
    flops: int = counter.get_total_flops()
    return flops // 2  # it counts a multiply-add as two


def _by_fvcore(subject: Subject) -> int:
    """Count by fvcore without normalisation: ours counts convolutions and linear layers."""
    module = subject.module or _built(subject).module
    assert module is not None, "built"
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch's warnings about its tracer
        image = torch.zeros(1, 3, subject.side, subject.side)
        counter = FlopCountAnalysis(module, image)
        counter.unsupported_ops_warnings(enabled=False)
        by_operator = counter.by_operator()
    return int(by_operator["conv"] + by_operator["linear"])


def table(rows: Sequence[Row], *, turns: int) -> Table:
    """Tabulate all rows: medians, and quartiles of the ratio."""
    made = Table(title=f"Time to count one network, median of {turns} turns; ratio to ours")
    columns = ("network", "way", "microseconds", "ratio (quartiles)", "multiply-adds")
    for place, column in enumerate(columns):
        made.add_column(column, justify="left" if place < 2 else "right")
    for row in rows:
        low, middle, high = statistics.quantiles(row.ratios, n=4, method="inclusive")
        made.add_row(
            row.network,
            row.way,
            _shown(1e6 * statistics.median(row.seconds)),
            f"{_shown(middle)} ({_shown(low)}-{_shown(high)})",
            f"{row.macs:,}",
        )
    return made


def _shown(number: float) -> str:
    """Format with at least three digits, and no decimals from 100 up."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, choices=range(2, 101), default=7, metavar="N")
    parser.add_argument("--networks", nargs="+", default=_NETWORKS, metavar="NAME")
    parser.add_argument(
        "--grid", type=int, default=1_000_000, metavar="N", help="candidates of the space"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
