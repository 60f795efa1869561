"""Surveys a space: every candidate counted exactly, inside the budget or rejected.

Go in: a space file's dimensions and budget. Comes out: a `Survey`: arrays over the candidates
inside, how many were rejected and why, and the nearest on each side. No network is built.
"""

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from res2net import Architecture, Cost
from res2net.cost import Costs
from res2net.tally import IntArray
from search.schema.budget import Band, Budget
from search.schema.data import PlannedData
from search.schema.network import FIXED, Network
from search.schema.parts import Choice
from search.schema.search import Search
from search.schema.settings import suffix
from search.schema.tasks import form_of
from search.space.axes import Axes
from search.space.axis import Dimension, axes_of, setting_axis
from search.space.configuration import Configuration
from search.space.grid import Grid, Mask

_CHUNK = 1 << 16  # candidates counted at once: bounds memory, and the arrays stay in cache


class Near(NamedTuple):
    """A rejected candidate close to the budget."""

    architecture: Architecture
    cost: Cost


@dataclass(frozen=True)
class Survey:
    """The candidates of a space that lie inside its budget.

    Attributes:
        positions: place of each candidate in the grid, ascending.
        widths: of each candidate where it is solved for the budget, else 0.
        costs: params, macs and activations of each candidate.
        total: distinct candidates, inside or not.
        duplicates: combinations of the file that name a network already named.
        rejected: reasons and how many candidates each rejected, each counted once.
        near: the nearest rejected candidate "below" and "above" the budget, where there is.
        bands: of each candidate, which band of the budget it lies in; 0 where there is one.
        base: the candidate where the axes meet; None where there are none, or it is outside.
    """

    grid: Grid
    positions: IntArray
    widths: IntArray
    costs: Costs
    total: int
    duplicates: int
    rejected: Mapping[str, int]
    near: Mapping[str, Near]
    base: int | None = None
    bands: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """What the space varies."""
        return self.grid.dimensions

    def indices(self) -> npt.NDArray[np.intp]:
        """(candidates, dimensions): the index of each value in its dimension."""
        return self.grid.indices(self.positions)

    def architecture(self, candidate: int) -> Architecture:
        """The network of a candidate."""
        return self.grid.architecture(
            int(self.positions[candidate]), int(self.widths[candidate])
        )

    def settings(self, candidate: int) -> dict[str, float]:
        """What the space varies beside the network, of a candidate."""
        return self.grid.settings(int(self.positions[candidate]))

    def name(self, candidate: int) -> str:
        """The network's, with the settings that vary: `res2next29_6c24w4s_lr0.1`."""
        settings = self.settings(candidate).items()
        shown = "".join(suffix(key, value) for key, value in settings)
        return f"{self.architecture(candidate).name}{shown}"

    def configuration(self, candidate: int) -> Configuration:
        """The network of a candidate with its settings."""
        network, settings = self.architecture(candidate), self.settings(candidate)
        return Configuration(self.name(candidate), network, settings)

    def cost(self, candidate: int) -> Cost:
        """The exact cost of a candidate."""
        return Cost(*(int(amounts[candidate]) for amounts in self.costs))

    def part(self, members: npt.NDArray[np.intp]) -> "Survey":
        """Some of the candidates, as a survey of their own."""
        return replace(
            self,
            positions=self.positions[members],
            widths=self.widths[members],
            costs=Costs(*(amounts[members] for amounts in self.costs)),
            bands=np.zeros(len(members), np.int64),
            base=None,
        )

    def candidate(
        self, architecture: Architecture, settings: Mapping[str, float] | None = None
    ) -> int | None:
        """The inverse of `architecture` and `settings`; None where it is not inside."""
        position = self.grid.position(architecture, settings or {})
        if position is None:
            return None
        at = int(np.searchsorted(self.positions, position))
        inside = at < len(self) and self.positions[at] == position
        return at if inside and self.architecture(at) == architecture else None


class Surveyed(Protocol):
    """What is counted: a `StudyPlan`, or the same four sections before there is one."""

    @property
    def network(self) -> Network:
        """The dimensions."""

    @property
    def budget(self) -> Budget:
        """The limits."""

    @property
    def data(self) -> PlannedData:
        """Gives the classes and the size of the images."""

    @property
    def search(self) -> Search:
        """Says whether the candidates lie on axes, and what is solved."""

    @property
    def task(self) -> Choice:
        """Says whether networks are classifiers, or backbones of something."""

    @property
    def varied(self) -> Mapping[str, Sequence[float]]:
        """The settings of training with several values, tuned ones included."""


def survey(space: Surveyed) -> Survey:
    """Count every candidate of a space and sort out those outside the budget.

    Args:
        space: the dimensions, the limits, the images and the search.

    Returns:
        The candidates inside, possibly none.
    """
    network, data, search = space.network, space.data, space.search
    axes, duplicates = axes_of(network)
    tuned = search.tune.keys if search.tune else ()
    axes += tuple(
        setting_axis(key, values) for key, values in space.varied.items() if key not in tuned
    )
    form = form_of(space.task)
    grid = Grid(axes, _fixed(network, data), image_size=data.resolution, form=form)
    lines = Axes(axes, search) if search.has_axes else None
    sorting = _Sorting(grid, space.budget.bands(), lines)
    for start in range(0, len(grid), _CHUNK):
        sorting.add(np.arange(start, min(start + _CHUNK, len(grid))))
    columns = [np.concatenate(chunks) for chunks in sorting.inside]
    if lines is not None:
        kept = lines.solve(grid.indices(columns[0]), columns[3])
        if search.solve:
            reason = f"another {search.solve} spends more of the budget"
            sorting.rejected[reason] += int((~kept).sum())
        columns = [column[kept] for column in columns]
    positions, widths, *counted = columns
    costs = Costs(*counted)
    return Survey(
        grid=grid,
        positions=positions,
        widths=widths,
        costs=costs,
        bands=_bands_of(costs, space.budget),
        total=len(grid),
        duplicates=duplicates,
        rejected=sorting.rejected,
        near=sorting.near,
        base=None if lines is None else _place_of(lines, grid.indices(positions)),
    )


def _fixed(network: Network, data: PlannedData) -> dict[str, Any]:
    """What all networks of a space have in common."""
    fixed = {"classes": data.classes, "channels": data.channels}
    fixed |= {field: getattr(network, field) for field in FIXED}
    return fixed | ({"planes": network.planes[0]} if len(network.planes) == 1 else {})


def _bands_of(costs: Costs, budget: Budget) -> IntArray:
    """Which band each candidate lies in, of the one amount that has bands."""
    bands: IntArray = np.zeros(len(costs.macs), np.int64)
    for name, band in budget.bands().items():
        if band.bands:
            lows = [low or 0 for low, _ in band.ranges]
            bands = np.searchsorted(lows, getattr(costs, name), "right") - 1
    return bands


def _place_of(lines: Axes, indices: npt.NDArray[np.intp]) -> int | None:
    """Of the base among the candidates; with something solved, whatever value that took."""
    at = np.flatnonzero(lines.away(indices) == 0)
    return int(at[0]) if len(at) else None


class _Violation(NamedTuple):
    """Which candidates of a chunk are beyond one limit, and how far (log of the ratio)."""

    reason: str
    outside: Mask
    distance: npt.NDArray[np.float64]
    above: bool


class _Sorting:
    """Collects the candidates inside, and counts the others, chunk by chunk."""

    def __init__(self, grid: Grid, bands: Mapping[str, Band], lines: Axes | None) -> None:
        self._grid = grid
        self._bands = bands
        self._lines = lines
        self._nearest = {"below": math.inf, "above": math.inf}
        self.inside: tuple[list[IntArray], ...] = ([], [], [], [], [])
        self.rejected: Counter[str] = Counter()
        self.near: dict[str, Near] = {}

    def add(self, positions: IntArray) -> None:
        """Put each candidate inside, or count it under the first reason to reject it."""
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

    def _violations(self, counted: Costs) -> Iterator[_Violation]:
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
            self.near[side] = Near(self._grid.architecture(position, width), Cost(*counted))
