"""The grid of a space: every combination of its axes, and exact costs in bulk."""

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from res2net import Architecture
from res2net.layout import Dimensions
from res2net.skeletons import blocks_of, skeleton_of
from res2net.tally import IntArray
from search.schema.budget import Band
from search.schema.counts import Counts, Use
from search.schema.network import WIDEST
from search.space.axis import GROUPS, RESOLUTION, SETTINGS, Axis, Indices, each

Mask = npt.NDArray[np.bool_]


class Grid:
    """Every combination of the axes, by its position; the last axis varies fastest.

    Args:
        axes: axes from `axes_of`, and of settings; the first holds skeleton and depth.
        fixed: the fields of an Architecture that no axis varies.
        image_size: side of the images in pixels, where no axis varies the resolution.
        use: how a task uses the networks.
    """

    def __init__(
        self,
        axes: tuple[Axis, ...],
        fixed: Mapping[str, Any],
        *,
        image_size: int,
        use: Use,
    ) -> None:
        self.use = use
        self.axes = axes
        self.image_size = image_size
        self.shape = tuple(len(axis.values) for axis in axes)
        self.dimensions = tuple(d for axis in axes for d in axis.dimensions)
        self._fixed = dict(fixed)
        self._index_of = [{value: i for i, value in enumerate(axis.values)} for axis in axes]
        self._at = {axis.fields[0]: at for at, axis in enumerate(axes)}
        self._solved = "width" not in self._at
        skeletons = [skeleton for skeleton, _ in axes[0].values]
        self._kinds = tuple(dict.fromkeys(skeletons))
        self._kind = np.array([self._kinds.index(skeleton) for skeleton in skeletons])
        self._tables = [self._table(kind) for kind in self._kinds]
        self._groups = [
            (self._base(kind, planes), side)
            for kind, planes, side in itertools.product(
                self._kinds, self._values("planes"), self._values(RESOLUTION)
            )
        ]

    def beside(self, position: int, settings: tuple[Axis, ...]) -> "Grid":
        """The grid of a single position's network, with other settings."""
        index = np.unravel_index(position, self.shape)
        alone = tuple(
            axis.only(int(at))
            for axis, at in zip(self.axes, index, strict=True)
            if axis.fields[0] not in SETTINGS
        )
        axes = (*alone, *settings)
        return Grid(axes, self._fixed, image_size=self.image_size, use=self.use)

    def __len__(self) -> int:
        return math.prod(self.shape)

    def indices(self, positions: IntArray) -> Indices:
        """(positions, dimensions): the index of each value in its dimension."""
        index = np.unravel_index(positions, self.shape)
        columns = [axis.indices[at] for axis, at in zip(self.axes, index, strict=True)]
        return np.concatenate(columns, axis=1)

    def widths(self, positions: IntArray, bands: Mapping[str, Band]) -> IntArray:
        """The widest width of each candidate within every upper limit; 0 if none is solved."""
        return self._fill(positions, bands) if self._solved else np.zeros_like(positions)

    def costs(self, positions: IntArray, widths: IntArray) -> Counts:
        """Exact cost of each candidate."""
        index = np.unravel_index(positions, self.shape)
        groups = self._kind[index[0]]
        for name in GROUPS:
            groups = groups * len(self._values(name))
            groups = groups + (index[self._at[name]] if name in self._at else 0)
        present = np.unique(groups)
        if len(present) == 1:
            return self._count(int(present[0]), index, widths)
        totals = Counts(*(np.empty_like(positions) for _ in Counts._fields))
        for group in present:
            here = groups == group
            counted = self._count(int(group), tuple(at[here] for at in index), widths[here])
            for total, part in zip(totals, counted, strict=True):
                total[here] = part
        return totals

    def architecture(self, position: int, width: int) -> Architecture:
        """The network at a position; `width` where it is solved."""
        index = np.unravel_index(position, self.shape)
        varied: dict[str, Any] = {"width": width} if self._solved else {}
        for axis, at in zip(self.axes, index, strict=True):
            if axis.fields[0] not in SETTINGS:
                varied |= dict(zip(axis.fields, axis.values[int(at)], strict=True))
        return Architecture(**self._fixed, **varied)

    def settings(self, position: int) -> dict[str, float]:
        """The settings at a position that the grid varies besides the network."""
        index = np.unravel_index(position, self.shape)
        return {
            axis.fields[0]: axis.values[int(at)][0]
            for axis, at in zip(self.axes, index, strict=True)
            if axis.fields[0] in SETTINGS
        }

    def position(self, architecture: Architecture, settings: Mapping[str, float]) -> int | None:
        """The position of a network; None where an axis or the settings lack a value."""
        index = []
        for axis, index_of in zip(self.axes, self._index_of, strict=True):
            field = axis.fields[0]
            if field in SETTINGS:
                value: tuple[Any, ...] = (settings.get(field),)
            else:
                value = tuple(getattr(architecture, field) for field in axis.fields)
            if value not in index_of:
                return None
            index.append(index_of[value])
        return int(np.ravel_multi_index(index, self.shape))

    def _values(self, name: str) -> tuple[Any, ...]:
        """The values of an axis with one field; without such an axis, the common value."""
        if name in self._at:
            return tuple(value for (value,) in self.axes[self._at[name]].values)
        return (self.image_size if name == RESOLUTION else self._fixed.get(name),)

    def _table(self, skeleton: str) -> dict[str, IntArray]:
        """(values, stages) of each field, as this skeleton reads it."""
        stages = len(skeleton_of(skeleton).stages)
        blocks = [
            blocks_of(kind, depth) if kind == skeleton else (0,) * stages
            for kind, depth in self.axes[0].values
        ]
        table = {"blocks": np.array(blocks, dtype=np.int64)}
        for axis in self.axes[1:]:
            if axis.fields[0] not in (*GROUPS, *SETTINGS):
                rows = [each(value, stages) for (value,) in axis.values]
                table[axis.fields[0]] = np.array(rows, dtype=np.int64)
        return table

    def _base(self, skeleton: str, planes: int) -> Architecture:
        """The base network of one count: skeleton, planes, and fields that no axis varies."""
        depth = next(depth for kind, depth in self.axes[0].values if kind == skeleton)
        given: dict[str, Any] = {**self._fixed, "planes": planes}
        return Architecture(skeleton=skeleton, depth=depth, **given)

    def _count(self, group: int, index: tuple[Indices, ...], widths: IntArray) -> Counts:
        base, side = self._groups[group]
        table = self._tables[self._kinds.index(base.skeleton)]
        at = {"blocks": 0, **self._at}
        held = {name: list(rows.T[:, index[at[name]]]) for name, rows in table.items()}
        stages = len(held["blocks"])
        dims = Dimensions(
            blocks=held["blocks"],
            width=[widths] * stages if self._solved else held["width"],
            scale=held["scale"],
            cardinality=held["cardinality"],
            se=held["se"][0],
        )
        return self.use.costs(base, dims, side)

    def _fill(self, positions: IntArray, bands: Mapping[str, Band]) -> IntArray:
        """Bisect for all candidates at once, as cost grows with width. 1 where nothing fits."""
        low, high = np.ones_like(positions), np.full_like(positions, WIDEST)
        while (high - low > 1).any():
            middle = (low + high) // 2
            counted = self.costs(positions, middle)
            fits = np.ones(len(positions), dtype=bool)
            for name, band in bands.items():
                if band.most is not None:
                    fits &= getattr(counted, name) <= band.most
            low, high = np.where(fits, middle, low), np.where(fits, high, middle)
        return low
