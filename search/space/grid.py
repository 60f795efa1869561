"""The grid of a space: its dimensions, and exact costs by position, many at once."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from res2net import Architecture
from res2net.architecture import one_if_equal
from res2net.cost import Costs, costs
from res2net.layout import Dimensions
from res2net.skeletons import blocks_of, skeleton_of
from res2net.tally import IntArray
from search.schema.budget import Band
from search.schema.network import WIDEST, Network
from search.schema.values import EachStage

Mask = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]
Columns = Sequence[tuple[Any, ...]]


class Dimension(NamedTuple):
    """One dimension of a space as a sampler sees it, its values in order, each once."""

    name: str
    values: tuple[Any, ...]


class Axis(NamedTuple):
    """Fields of an `Architecture` that vary together: one of the grid's directions.

    A skeleton and its depth are one axis, because a skeleton has depths of its own. An axis
    is several dimensions to a sampler where it holds several numbers.
    """

    fields: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]  # distinct; one entry a field
    dimensions: tuple[Dimension, ...]
    indices: Indices  # (values, dimensions): index of each value in each dimension


def axes_of(network: Network) -> tuple[tuple[Axis, ...], int]:
    """The axes of a space file, and how many combinations name a network named before.

    `width` is no axis where it is solved (fill): each candidate has its own.
    """
    stages = network.stages
    axes = [_forms(network)]
    named = len(network.forms())
    written: dict[str, Any] = {
        "cardinality": network.cardinality,
        "scale": network.scale,
        "se": network.se,
        "width": network.width,
    }
    for name, values in written.items():
        if values == "fill":
            continue
        every = values.combinations(stages) if isinstance(values, EachStage) else values
        named *= len(every)
        distinct = tuple(dict.fromkeys((one_if_equal(value),) for value in every))
        columns: Columns = [tuple(value for (value,) in distinct)]
        if isinstance(values, EachStage):
            columns = _stage_columns([_each(value, stages) for (value,) in distinct])
        axes.append(_axis((name,), distinct, _named(name, columns)))
    return tuple(axes), named - math.prod(len(axis.values) for axis in axes)


def _forms(network: Network) -> Axis:
    """Skeletons with their depths, those of one skeleton side by side, else as in the file."""
    # As an Architecture spells them: 29 and [3, 3, 3] are one.
    spelled = (
        (skeleton, Architecture(skeleton=skeleton, depth=depth).depth)
        for skeleton, depth in network.forms()
    )
    order = {skeleton: i for i, (skeleton, _) in enumerate(reversed(network.forms()))}
    distinct = tuple(dict.fromkeys(sorted(spelled, key=lambda form: -order[form[0]])))
    depths: Columns = [tuple(depth for _, depth in distinct)]
    if isinstance(network.depth, EachStage):
        depths = _stage_columns([blocks_of(*form) for form in distinct])
    columns = _named("depth", depths)
    skeletons = tuple(skeleton for skeleton, _ in distinct)
    kinds = len(set(skeletons))
    if kinds > 1:
        # Where each skeleton has one depth, it says all there is to say.
        columns = {"skeleton": skeletons} | (columns if len(distinct) > kinds else {})
    return _axis(("skeleton", "depth"), distinct, columns)


def _each(value: Any, stages: int) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,) * stages


def _stage_columns(rows: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    return list(zip(*rows, strict=True))


def _named(name: str, columns: Columns) -> dict[str, tuple[Any, ...]]:
    """One column keeps the name; one a stage is numbered as the layers are, from 1."""
    if len(columns) == 1:
        return {name: columns[0]}
    return {f"{name} of stage {i}": column for i, column in enumerate(columns, start=1)}


def _axis(
    fields: tuple[str, ...],
    values: tuple[tuple[Any, ...], ...],
    columns: Mapping[str, tuple[Any, ...]],
) -> Axis:
    dimensions = tuple(
        Dimension(name, tuple(dict.fromkeys(column))) for name, column in columns.items()
    )
    index_of = [{value: i for i, value in enumerate(d.values)} for d in dimensions]
    indices = np.array(
        [[known[value] for known, value in zip(index_of, row, strict=True)]
         for row in zip(*columns.values(), strict=True)],
        dtype=np.intp,
    )  # fmt: skip
    return Axis(fields, values, dimensions, indices)


class Grid:
    """Every combination of the axes, by its position; the last axis runs fastest.

    Args:
        axes: from `axes_of`; the first holds skeleton and depth.
        fixed: the fields of an Architecture that no axis varies.
        image_size: side of the images in pixels.
    """

    def __init__(
        self, axes: tuple[Axis, ...], fixed: Mapping[str, Any], *, image_size: int
    ) -> None:
        self.axes = axes
        self.image_size = image_size
        self.shape = tuple(len(axis.values) for axis in axes)
        self.dimensions = tuple(d for axis in axes for d in axis.dimensions)
        self._fixed = dict(fixed)
        self._index_of = [{value: i for i, value in enumerate(axis.values)} for axis in axes]
        self._solved = all("width" not in axis.fields for axis in axes)
        skeletons = [skeleton for skeleton, _ in axes[0].values]
        self._kinds = tuple(dict.fromkeys(skeletons))
        self._kind = np.array([self._kinds.index(skeleton) for skeleton in skeletons])
        self._tables = [self._table(kind) for kind in self._kinds]
        self._bases = [self._base(kind) for kind in self._kinds]

    def __len__(self) -> int:
        return math.prod(self.shape)

    def indices(self, positions: IntArray) -> Indices:
        """(positions, dimensions): the index of each value in its dimension."""
        index = np.unravel_index(positions, self.shape)
        columns = [axis.indices[at] for axis, at in zip(self.axes, index, strict=True)]
        return np.concatenate(columns, axis=1)

    def widths(self, positions: IntArray, bands: Mapping[str, Band]) -> IntArray:
        """The widest of each candidate inside every upper limit; 0 where none is solved."""
        return self._fill(positions, bands) if self._solved else np.zeros_like(positions)

    def costs(self, positions: IntArray, widths: IntArray) -> Costs:
        """Exact cost of each candidate."""
        index = np.unravel_index(positions, self.shape)
        kinds = self._kind[index[0]]
        if kinds[0] == kinds[-1]:  # skeletons stand side by side
            return self._count(kinds[0], index, widths)
        totals = Costs(*(np.empty_like(positions) for _ in Costs._fields))
        for kind in np.unique(kinds):
            here = kinds == kind
            counted = self._count(kind, tuple(at[here] for at in index), widths[here])
            for total, part in zip(totals, counted, strict=True):
                total[here] = part
        return totals

    def architecture(self, position: int, width: int) -> Architecture:
        """The network at a position; `width` where it is solved."""
        index = np.unravel_index(position, self.shape)
        varied: dict[str, Any] = {"width": width} if self._solved else {}
        for axis, at in zip(self.axes, index, strict=True):
            varied |= dict(zip(axis.fields, axis.values[int(at)], strict=True))
        return Architecture(**self._fixed, **varied)

    def position(self, architecture: Architecture) -> int | None:
        """The inverse; None where an axis has no such value."""
        index = []
        for axis, index_of in zip(self.axes, self._index_of, strict=True):
            value = tuple(getattr(architecture, field) for field in axis.fields)
            if value not in index_of:
                return None
            index.append(index_of[value])
        return int(np.ravel_multi_index(index, self.shape))

    def _table(self, skeleton: str) -> dict[str, IntArray]:
        """(values, stages) of each field, as this skeleton reads it."""
        stages = len(skeleton_of(skeleton).stages)
        blocks = [
            blocks_of(kind, depth) if kind == skeleton else (0,) * stages
            for kind, depth in self.axes[0].values
        ]
        table = {"blocks": np.array(blocks, dtype=np.int64)}
        for axis in self.axes[1:]:
            rows = [_each(value, stages) for (value,) in axis.values]
            table[axis.fields[0]] = np.array(rows, dtype=np.int64)
        return table

    def _base(self, skeleton: str) -> Architecture:
        """Gives what the grid does not vary within this skeleton."""
        depth = next(depth for kind, depth in self.axes[0].values if kind == skeleton)
        return Architecture(skeleton=skeleton, depth=depth, **self._fixed)

    def _count(self, kind: int, index: tuple[Indices, ...], widths: IntArray) -> Costs:
        table = self._tables[kind]
        names = ("blocks", *(axis.fields[0] for axis in self.axes[1:]))
        each = {name: list(table[name].T[:, at]) for name, at in zip(names, index, strict=True)}
        stages = len(each["blocks"])
        dims = Dimensions(
            blocks=each["blocks"],
            width=[widths] * stages if self._solved else each["width"],
            scale=each["scale"],
            cardinality=each["cardinality"],
            se=each["se"][0],
        )
        return costs(self._bases[kind], dims, image_size=self.image_size)

    def _fill(self, positions: IntArray, bands: Mapping[str, Band]) -> IntArray:
        """Bisection, all candidates at once: cost grows with width. 1 where nothing fits."""
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
