"""Count the exact cost of a network before it is built. No torch here.

Convention: MACs are the multiply-adds of convolutions and linear layers for one image (the
paper's "FLOPs"); normalisation, activations and pooling count 0. Parameters are all learnable
numbers. Activations are the numbers that convolutions and linear layers output for one image.

The same formula takes integers (one network) or NumPy arrays (a whole grid at once).
"""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from res2net.architecture import Architecture
from res2net.errors import ArchitectureError
from res2net.layout import Dimensions, lay_out
from res2net.names import described
from res2net.skeletons import Skeleton
from res2net.tally import ONE, ImageSize, IntArray, Tally, size_of


class Cost(NamedTuple):
    """Hold the cost of one network; MACs and activations are for one image."""

    params: int
    macs: int
    activations: int


class Costs(NamedTuple):
    """Hold the cost of each network of a grid, as arrays of the same shape."""

    params: IntArray
    macs: IntArray
    activations: IntArray


def cost(
    architecture: Architecture | str,
    *,
    image_size: ImageSize | None = None,
    features: Collection[int] | None = None,
    output_stride: int | None = None,
    block: str | None = None,
    channels: int | None = None,
) -> Cost:
    """Count one network exactly.

    Args:
        architecture: the network, or any name that `res2net.parse` reads.
        image_size: side of the square input in pixels, or height and width; the skeleton's
            own by default.
        features: as for `res2net.build`: counts a backbone up to the last of these stages; None
            counts the classifier.
        output_stride: as for `res2net.build`.
        block: as for `res2net.build`.
        channels: as for `res2net.build`.

    Returns:
        Parameters of the built module, MACs (half of what torch's FlopCounterMode sees in a
        forward pass of one image) and activations, to the unit.

    Raises:
        ArchitectureError: the name is not understood, the block cannot be found, or the
            skeleton has no such stage or output stride.
    """
    architecture = described(architecture, block, channels)
    facts = architecture.facts
    last = None if features is None else max(checked_features(facts, features))
    tally = Tally()
    put_out = facts.count_layers(
        lay_out(architecture, output_stride=output_stride, last=last),
        tally,
        size_of(architecture.image_size if image_size is None else image_size),
    )
    if features is None:
        _head(tally, put_out, architecture.classes)
    return Cost(int(tally.params), int(tally.macs), int(tally.activations))


def costs(
    base: Architecture,
    dims: Dimensions,
    *,
    image_size: ImageSize,
    output_stride: int | None = None,
    head: bool = True,
) -> Costs:
    """Count a grid of networks that differ from `base` in the given dimensions only.

    Args:
        base: provides block, skeleton, channels, planes, version, first block and classes.
        dims: int64 arrays that broadcast together, one value for each network.
        image_size: side of the square input in pixels, or height and width.
        output_stride: as for `res2net.build`.
        head: whether to count the classifier; a backbone has none.

    Returns:
        int64 arrays of the broadcast shape.
    """
    tally = Tally()
    layout = lay_out(base, dims, output_stride=output_stride)
    put_out = base.facts.count_layers(layout, tally, size_of(image_size))
    if head:
        _head(tally, put_out, base.classes)
    arrays = (*dims.width, *dims.scale, *dims.cardinality, dims.se, *dims.blocks)
    shape = np.broadcast_shapes(*(np.shape(array) for array in arrays))
    return Costs(
        *(
            np.broadcast_to(np.asarray(total, dtype=np.int64), shape)
            for total in (tally.params, tally.macs, tally.activations)
        )
    )


def checked_features(facts: Skeleton, features: Collection[int]) -> list[int]:
    """Give the stages (from 1) in ascending order; raise ArchitectureError for unknown ones."""
    stages = range(1, len(facts.stages) + 1)
    listed = isinstance(features, Collection)
    known = listed and all(
        stage in stages and not isinstance(stage, bool) for stage in features
    )
    if not features or not known:
        shown = tuple(features) if listed else features
        raise ArchitectureError(
            "features",
            f"{shown} are not all stages of this skeleton; write some of {tuple(stages)}",
        )
    return sorted(set(map(int, features)))


def _head(tally: Tally, channels: int, classes: int) -> None:
    tally.conv(channels, classes, size=ONE)
    tally.bias(classes)
