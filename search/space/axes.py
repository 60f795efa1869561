"""The axes design: one dimension at a time from a base network, as in the paper's Fig. 5.

Takes the axes of a space's grid and the `search` section. Gives the candidates that lie on an
axis through the base and, where a dimension is solved for the budget (so that the others are
compared at constant cost), the value that it takes. No torch here.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from res2net import Architecture, ArchitectureError
from res2net.architecture import one_if_equal, written
from res2net.tally import IntArray
from search.schema.search import Search
from search.schema.values import MisfitError
from search.space.axis import Axis, Indices
from search.space.grid import Mask

_SHOWN = 8  # values of a dimension that a message lists


class Axes:
    """The lines through the base of a grid.

    Args:
        axes: axes of the grid.
        search: gives the base and the solved dimension; the sampler is `axes`.

    Attributes:
        base: index of the base in each dimension.
        values: values of the base by field, without the solved dimension.

    Raises:
        MisfitError: the base is not a network of the space, or there is nothing to solve.
    """

    def __init__(self, axes: Sequence[Axis], search: Search) -> None:
        chosen = [_base_index(axis, search) for axis in axes]
        self.base = np.concatenate(
            [axis.indices[at] for axis, at in zip(axes, chosen, strict=True)]
        )
        self.values = {
            field: value
            for axis, at in zip(axes, chosen, strict=True)
            for field, value in zip(axis.fields, axis.values[at], strict=True)
            if field != search.solve
        }
        names = [dimension.name for axis in axes for dimension in axis.dimensions]
        self._solved = np.array([_is_of(name, search.solve) for name in names])
        lengths = [len(dimension.values) for axis in axes for dimension in axis.dimensions]
        if search.solve and not any(np.array(lengths)[self._solved] > 1):
            raise MisfitError(
                "search.solve",
                f"has nothing to choose from; list values of network.{search.solve}, or "
                "remove solve",
            )
        self._search = search

    def hold(self, indices: Indices) -> Mask:
        """Which candidates differ from the base in at most one dimension but the solved one.

        Args:
            indices: (candidates, dimensions), as `Grid.indices` gives them.
        """
        held: Mask = self.away(indices) <= 1
        return held

    def away(self, indices: Indices) -> Indices:
        """Number of dimensions, without the solved one, in which each differs from the base."""
        count: Indices = ((indices != self.base) & ~self._solved).sum(axis=1)
        return count

    def solve(self, indices: Indices, macs: IntArray) -> Mask:
        """For candidates that differ only in the solved dimension, the one with most MACs.

        Args:
            indices: indices of the candidates inside the budget.
            macs: their multiply-adds.
        """
        if not self._search.solve:
            return np.ones(len(indices), dtype=bool)
        chosen = np.zeros(len(indices), dtype=bool)
        if len(indices):
            _, group = np.unique(indices[:, ~self._solved], axis=0, return_inverse=True)
            order = np.argsort(macs, kind="stable")
            last = dict(zip(group.reshape(-1)[order].tolist(), order.tolist(), strict=True))
            chosen[list(last.values())] = True
        return chosen


def _is_of(dimension: str, field: str | None) -> bool:
    """Whether a dimension belongs to a field: `scale`, or `scale of stage 1`."""
    return field is not None and dimension.partition(" of ")[0] == field


def _base_index(axis: Axis, search: Search) -> int:
    """Index of the base on an axis: of the first value that agrees with the file."""
    wanted = {field: getattr(search.base, field) for field in axis.fields}
    for at, value in enumerate(axis.values):
        here = dict(zip(axis.fields, value, strict=True))
        if all(_same(here, field, want) for field, want in wanted.items()):
            return at
    field = next(reversed([name for name, want in wanted.items() if want is not None]))
    listed = dict.fromkeys(value[axis.fields.index(field)] for value in axis.values)
    shown = ", ".join(written(value) for value in list(listed)[:_SHOWN])
    raise MisfitError(
        f"search.base.{field}",
        f"{written(wanted[field])} is not among the values of network.{field} ({shown}"
        f"{', ...' if len(listed) > _SHOWN else ''}); write one of them, or add it there",
    )


def _same(here: dict[str, Any], field: str, want: Any) -> bool:
    """Whether a value of an axis is the one that the file gives for the base."""
    if want is None:
        return True
    if field != "depth":
        return bool(here[field] == one_if_equal(want))
    try:
        spelled = Architecture(skeleton=here["skeleton"], depth=want).depth
    except ArchitectureError:
        return False
    return bool(here[field] == spelled)
