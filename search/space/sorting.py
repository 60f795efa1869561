"""Sorts candidates: inside the budget, or rejected and why, and the nearest on each side."""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from res2net import Architecture, Cost
from res2net.tally import IntArray
from search.schema.budget import Band
from search.schema.counts import Counts
from search.space.axes import Axes
from search.space.grid import Grid, Mask

_AMOUNTS = len(Counts._fields)


class Near(NamedTuple):
    """A rejected candidate close to the budget; `model` as in `Survey.model`."""

    architecture: Architecture
    cost: Cost
    model: Mapping[str, int]


def network_cost(counted: Iterable[int]) -> Cost:
    """The cost of a network.

    Args:
        counted: all counts of a candidate, in the order of `Counts`.
    """
    return Cost(*itertools.islice(counted, len(Cost._fields)))


class _Violation(NamedTuple):
    """Which candidates of a chunk are beyond one limit, and how far (log of the ratio)."""

    reason: str
    outside: Mask
    distance: npt.NDArray[np.float64]
    above: bool


class Sorting:
    """Collects the candidates inside, and counts the others, chunk by chunk.

    Args:
        grid: grid of all candidates.
        bands: the limits, by the name of what they limit.
        lines: the axes on which candidates must lie; None for no such condition.

    Attributes:
        inside: positions and widths of the candidates inside, then `Counts`, in chunks.
        rejected: the number of candidates rejected for each reason.
        near: the nearest rejected candidate on each side of the budget.
    """

    def __init__(self, grid: Grid, bands: Mapping[str, Band], lines: Axes | None) -> None:
        self._grid = grid
        self._bands = bands
        self._lines = lines
        self._nearest = {"below": math.inf, "above": math.inf}
        self.inside: tuple[list[IntArray], ...] = tuple([] for _ in range(2 + _AMOUNTS))
        self.rejected: Counter[str] = Counter()
        self.near: dict[str, Near] = {}

    def add(self, positions: IntArray) -> None:
        """Sort candidates as inside, or count them under the first reason that rejects them."""
        if self._lines is not None:
            held = self._lines.hold(self._grid.indices(positions))
            self.rejected["more than one dimension away from the base"] += int((~held).sum())
            positions = positions[held]
        if len(positions):
            self._sort(positions)

    def _sort(self, positions: IntArray) -> None:
        widths = self._grid.widths(positions, self._bands)
        counted = self._grid.costs(positions, widths)
        inside = np.ones(len(positions), dtype=bool)
        above = np.zeros(len(positions), dtype=bool)
        distance = np.zeros(len(positions))
        for violation in self._violations(counted):
            self.rejected[violation.reason] += int((violation.outside & inside).sum())
            inside &= ~violation.outside
            above |= violation.outside & violation.above
            distance = np.maximum(distance, violation.outside * violation.distance)
        columns = (positions, widths, *counted)
        for column, chunks in zip(columns, self.inside, strict=True):
            chunks.append(column[inside])
        for side, members in (("above", above), ("below", ~inside & ~above)):
            self._note(side, np.where(members, distance, math.inf), columns)

    def _violations(self, counted: Counts) -> Iterator[_Violation]:
        for name, band in self._bands.items():
            amounts, ranges = getattr(counted, name), band.ranges
            if (most := ranges[-1].high) is not None:
                far = np.log(amounts / most)
                yield _Violation(f"{name} above {most:,}", amounts > most, far, True)
            if (least := ranges[0].low) is not None:
                far = np.log(least / amounts)
                yield _Violation(f"{name} below {least:,}", amounts < least, far, False)
            for below, above in itertools.pairwise(ranges):
                end, start = below.high or 0, above.low or 0  # bands have both
                between = (amounts > end) & (amounts < start)
                reason = f"{name} between {end:,} and {start:,}"
                yield _Violation(reason, between, np.log(amounts / end), True)

    def _note(
        self, side: str, distance: npt.NDArray[np.float64], columns: tuple[IntArray, ...]
    ) -> None:
        at = int(distance.argmin())
        if distance[at] < self._nearest[side]:
            self._nearest[side] = float(distance[at])
            position, width, *counted = (int(column[at]) for column in columns)
            self.near[side] = Near(
                self._grid.architecture(position, width),
                network_cost(counted),
                self._grid.use.model(counted),
            )
