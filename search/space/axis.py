"""The axes of a space: what a file varies, as directions of a grid and as dimensions."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from res2net import Architecture
from res2net.architecture import one_if_equal
from res2net.skeletons import blocks_of
from search.schema.network import Network
from search.schema.settings import VARIABLE
from search.schema.values import EachStage

Indices = npt.NDArray[np.intp]
Columns = Sequence[tuple[Any, ...]]
RESOLUTION = "resolution"
SETTINGS = (RESOLUTION, *VARIABLE)  # settings of a trial besides its network
GROUPS = ("planes", RESOLUTION)  # costs are counted separately for each value


class Dimension(NamedTuple):
    """One dimension of a space as a sampler sees it: its distinct values, in order."""

    name: str
    values: tuple[Any, ...]


class Axis(NamedTuple):
    """Fields of an `Architecture`, or a setting, that vary together: a direction of the grid.

    A skeleton and its depth are one axis, because each skeleton has its own depths. For a
    sampler an axis is several dimensions if it holds several numbers.
    """

    fields: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]  # distinct; one entry per field
    dimensions: tuple[Dimension, ...]
    indices: Indices  # (values, dimensions): index of each value in each dimension

    def only(self, at: int) -> "Axis":
        """The axis restricted to one of its values."""
        pairs = zip(self.dimensions, self.indices[at], strict=True)
        dimensions = tuple(Dimension(d.name, (d.values[i],)) for d, i in pairs)
        zeros = np.zeros((1, len(dimensions)), np.intp)
        return Axis(self.fields, (self.values[at],), dimensions, zeros)


def axes_of(network: Network) -> tuple[tuple[Axis, ...], int]:
    """The axes of a space file, and how many combinations repeat a network.

    `width` is not an axis where it is solved (fill): each candidate has its own.
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
            columns = _stage_columns([each(value, stages) for (value,) in distinct])
        axes.append(_axis((name,), distinct, _named(name, columns)))
    for name in GROUPS:
        several = getattr(network, name) or ()
        if len(several) > 1:
            axes.append(setting_axis(name, several))
            named *= len(several)
    return tuple(axes), named - math.prod(len(axis.values) for axis in axes)


def setting_axis(name: str, values: Sequence[float]) -> Axis:
    """The axis of a setting, or of a field with one number for all stages."""
    return _axis((name,), tuple((value,) for value in values), {name: tuple(values)})


def _forms(network: Network) -> Axis:
    """Skeletons with their depths, those of a skeleton together, else in the file's order."""
    # Normalized by Architecture, as 29 and [3, 3, 3] are the same.
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
        # Where each skeleton has one depth, the skeleton determines it.
        columns = {"skeleton": skeletons} | (columns if len(distinct) > kinds else {})
    return _axis(("skeleton", "depth"), distinct, columns)


def each(value: Any, stages: int) -> tuple[int, ...]:
    """A size as a tuple with one entry per stage."""
    return value if isinstance(value, tuple) else (value,) * stages


def _stage_columns(rows: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    return list(zip(*rows, strict=True))


def _named(name: str, columns: Columns) -> dict[str, tuple[Any, ...]]:
    """Keep the name for one column; number one column per stage like the layers, from 1."""
    if len(columns) == 1:
        return {name: columns[0]}
    return {f"{name} of stage {i}": column for i, column in enumerate(columns, start=1)}


def _ordered(column: tuple[Any, ...]) -> tuple[Any, ...]:
    """The different values; numbers ascending, as samplers take neighbours for similar."""
    values = tuple(dict.fromkeys(column))
    numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
    return tuple(sorted(values)) if numbers else values


def _axis(
    fields: tuple[str, ...],
    values: tuple[tuple[Any, ...], ...],
    columns: Mapping[str, tuple[Any, ...]],
) -> Axis:
    dimensions = tuple(Dimension(name, _ordered(column)) for name, column in columns.items())
    index_of = [{value: i for i, value in enumerate(d.values)} for d in dimensions]
    indices = np.array(
        [[known[value] for known, value in zip(index_of, row, strict=True)]
         for row in zip(*columns.values(), strict=True)],
        dtype=np.intp,
    )  # fmt: skip
    return Axis(fields, values, dimensions, indices)
