"""The grid of a space: its dimensions, and exact costs by position, many at once."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from res2net import Architecture
from res2net.architecture import blocks_of
from res2net.cost import Costs, Dimensions, IntArray, costs
from search.config import WIDEST, Band, Network

Mask = npt.NDArray[np.bool_]


class Dimension(NamedTuple):
    """One dimension of a space, its values in the order of the file, each once."""

    name: str
    values: tuple[Any, ...]


def dimensions_of(network: Network) -> tuple[tuple[Dimension, ...], int]:
    """The dimensions of a space file, and how many combinations name a network named before.

    `width` is no dimension where it is solved (fill): each candidate has its own.
    """
    depths = [Architecture(skeleton=network.skeleton, depth=d).depth for d in network.depth]
    written: dict[str, tuple[Any, ...]] = {
        "depth": tuple(depths),  # as an Architecture spells them: 29 and [3, 3, 3] are one
        "cardinality": network.cardinality,
        "scale": network.scale,
        "se": network.se,
    }
    if network.width != "fill":
        written["width"] = network.width
    dimensions = tuple(
        Dimension(name, tuple(dict.fromkeys(values))) for name, values in written.items()
    )
    named = math.prod(len(values) for values in written.values())
    return dimensions, named - math.prod(len(d.values) for d in dimensions)


class Grid:
    """Every combination of the dimensions, by its position; the last dimension runs fastest.

    Args:
        base: gives what no dimension varies.
        dimensions: from `dimensions_of`.
        image_size: side of the images in pixels.
    """

    def __init__(
        self, base: Architecture, dimensions: tuple[Dimension, ...], *, image_size: int
    ) -> None:
        self.base = base
        self.dimensions = dimensions
        self.image_size = image_size
        self.shape = tuple(len(dimension.values) for dimension in dimensions)
        self._blocks = np.array([blocks_of(base.skeleton, d) for d in dimensions[0].values])
        self._values = {
            dimension.name: np.array(dimension.values, dtype=np.int64)
            for dimension in dimensions
            if dimension.name != "depth"
        }

    def __len__(self) -> int:
        return math.prod(self.shape)

    def widths(self, positions: IntArray, bands: Mapping[str, Band]) -> IntArray:
        """Width of each candidate: its value, or the widest inside every upper limit."""
        if "width" in self._values:
            return self._values["width"][dict(self._indices(positions))["width"]]
        return self._fill(positions, bands)

    def costs(self, positions: IntArray, widths: IntArray) -> Costs:
        """Exact cost of each candidate."""
        index = dict(self._indices(positions))
        dims = Dimensions(
            blocks=list(self._blocks[index["depth"]].T),
            width=widths,
            scale=self._values["scale"][index["scale"]],
            cardinality=self._values["cardinality"][index["cardinality"]],
            se=self._values["se"][index["se"]],
        )
        return costs(self.base, dims, image_size=self.image_size)

    def architecture(self, position: int, width: int) -> Architecture:
        """The network at a position."""
        index = np.unravel_index(position, self.shape)
        varied = {
            dimension.name: dimension.values[int(i)]
            for dimension, i in zip(self.dimensions, index, strict=True)
        }
        fixed = {
            name: getattr(self.base, name)
            for name in ("skeleton", "planes", "version", "first_block", "classes")
        }
        return Architecture(**fixed, **{**varied, "width": width})

    def position(self, architecture: Architecture) -> int | None:
        """The inverse; None where a dimension has no such value."""
        index = []
        for dimension in self.dimensions:
            value = getattr(architecture, dimension.name)
            if value not in dimension.values:
                return None
            index.append(dimension.values.index(value))
        return int(np.ravel_multi_index(index, self.shape))

    def _fill(self, positions: IntArray, bands: Mapping[str, Band]) -> IntArray:
        """Bisection, all candidates at once: cost grows with width. 1 where nothing fits."""
        low, high = np.ones_like(positions), np.full_like(positions, WIDEST)
        while (high - low > 1).any():
            middle = (low + high) // 2
            counted = self.costs(positions, middle)
            fits = np.ones(len(positions), dtype=bool)
            for name, band in bands.items():
                if band.max is not None:
                    fits &= getattr(counted, name) <= band.max
            low, high = np.where(fits, middle, low), np.where(fits, high, middle)
        return low

    def _indices(self, positions: IntArray) -> Iterator[tuple[str, npt.NDArray[np.intp]]]:
        unravelled = np.unravel_index(positions, self.shape)
        for dimension, index in zip(self.dimensions, unravelled, strict=True):
            yield dimension.name, index
