"""Surveys a space: every candidate counted exactly, inside the budget or rejected.

Takes a space file's dimensions and budget. Gives a `Survey`: arrays over the candidates inside,
how many were rejected and why, and the nearest on each side. No network is built.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from res2net import Architecture, Cost
from res2net.tally import IntArray
from search.schema.budget import Budget
from search.schema.counts import Counts, Use
from search.schema.data import PlannedData
from search.schema.metrics import COUNTED, MODEL
from search.schema.network import FIXED, Network
from search.schema.parts import Choice
from search.schema.search import Search
from search.schema.settings import suffix
from search.space.axes import Axes
from search.space.axis import Dimension, axes_of, setting_axis
from search.space.configuration import Configuration
from search.space.grid import Grid
from search.space.sorting import Near, Sorting, network_cost

_CHUNK = 1 << 16  # candidates counted at once: bounds memory, and the arrays stay in cache


@dataclass(frozen=True)
class Survey:
    """The candidates of a space that lie inside its budget.

    Attributes:
        positions: place of each candidate in the grid, ascending.
        widths: widths of each candidate where it is solved for the budget, else 0.
        costs: costs of each candidate.
        total: distinct candidates, inside or not.
        duplicates: combinations of the file that repeat a network.
        rejected: the number of candidates rejected for each reason, each counted once.
        near: the nearest rejected candidates "below" and "above" the budget, if any.
        bands: the budget's band that each candidate lies in; 0 if there is only one.
        base: the candidate where the axes meet; None where there are none, or it is outside.
    """

    grid: Grid
    positions: IntArray
    widths: IntArray
    costs: Counts
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
        """The dimensions that the space varies."""
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
        """The settings of a candidate that the space varies besides the network."""
        return self.grid.settings(int(self.positions[candidate]))

    def name(self, candidate: int) -> str:
        """Name of the network with the settings that vary: `res2next29_6c24w4s_lr0.1`."""
        settings = self.settings(candidate).items()
        shown = "".join(suffix(key, value) for key, value in settings)
        return f"{self.architecture(candidate).name}{shown}"

    def configuration(self, candidate: int) -> Configuration:
        """The network of a candidate with its settings."""
        network, settings = self.architecture(candidate), self.settings(candidate)
        return Configuration(self.name(candidate), network, settings)

    def cost(self, candidate: int) -> Cost:
        """The exact cost of a candidate."""
        return network_cost(int(amounts[candidate]) for amounts in self.costs)

    def counted(self) -> dict[str, IntArray]:
        """All known costs of each candidate, by name."""
        known = (*COUNTED, *(MODEL if self.grid.use.has_head else ()))
        return {name: getattr(self.costs, name) for name in known}

    def model(self, candidate: int) -> dict[str, int]:
        """The costs of a candidate's network with the task's head, by name.

        Empty where the task has no head, or does not give its cost.
        """
        return self.grid.use.model(int(amounts[candidate]) for amounts in self.costs)

    def part(self, members: npt.NDArray[np.intp]) -> "Survey":
        """A part of the candidates, as a separate survey."""
        return replace(
            self,
            positions=self.positions[members],
            widths=self.widths[members],
            costs=Counts(*(amounts[members] for amounts in self.costs)),
            bands=np.zeros(len(members), np.int64),
            base=None,
        )

    def candidate(
        self, architecture: Architecture, settings: Mapping[str, float] | None = None
    ) -> int | None:
        """The number of a network with settings; None where it is not a candidate."""
        position = self.grid.position(architecture, settings or {})
        if position is None:
            return None
        at = int(np.searchsorted(self.positions, position))
        inside = at < len(self) and self.positions[at] == position
        return at if inside and self.architecture(at) == architecture else None


class Surveyed(Protocol):
    """What a survey needs: a `StudyPlan`, or the same sections before there is one."""

    @property
    def network(self) -> Network:
        """The dimensions."""

    @property
    def budget(self) -> Budget:
        """The limits."""

    @property
    def data(self) -> PlannedData:
        """The number of classes and the size of the images."""

    @property
    def search(self) -> Search:
        """Whether the candidates lie on axes, and which dimension is solved."""

    @property
    def task(self) -> Choice:
        """Whether networks are classifiers, or backbones of something."""

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
    grid = Grid(
        axes, _fixed(network, data), image_size=data.resolution, use=Use.of(space.task, data)
    )
    lines = Axes(axes, search) if search.has_axes else None
    sorting = Sorting(grid, space.budget.bands(), lines)
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
    costs = Counts(*counted)
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
    """The fields that all networks of a space share."""
    fixed = {"classes": data.classes, "channels": data.channels}
    fixed |= {field: getattr(network, field) for field in FIXED}
    return fixed | ({"planes": network.planes[0]} if len(network.planes) == 1 else {})


def _bands_of(costs: Counts, budget: Budget) -> IntArray:
    """The band of each candidate, for the one amount that has bands."""
    bands: IntArray = np.zeros(len(costs.macs), np.int64)
    for name, band in budget.bands().items():
        if band.bands:
            lows = [low or 0 for low, _ in band.ranges]
            bands = np.searchsorted(lows, getattr(costs, name), "right") - 1
    return bands


def _place_of(lines: Axes, indices: npt.NDArray[np.intp]) -> int | None:
    """The base's place among the candidates, whatever value a solved dimension took."""
    at = np.flatnonzero(lines.away(indices) == 0)
    return int(at[0]) if len(at) else None
