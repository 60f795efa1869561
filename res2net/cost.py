"""Exact cost of a network, before it exists. No torch here.

Convention: MACs are the multiply-adds of convolutions and linear layers for one image (the
paper's "FLOPs"); normalisation, activations and pooling count 0. Parameters are all learnable
numbers. Activations are the numbers that convolutions and linear layers put out for one image.

The one formula takes integers (a network) or NumPy arrays (a whole grid at once).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from res2net.architecture import EXPANSION, SE_REDUCTION, Architecture

IntArray = npt.NDArray[np.int64]
Count = int | IntArray


class Cost(NamedTuple):
    """What one network costs; the last two are for one image."""

    params: int
    macs: int
    activations: int


class Costs(NamedTuple):
    """What each network of a grid costs: arrays of one shape."""

    params: IntArray
    macs: IntArray
    activations: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimensions:
    """The dimensions that a grid varies; arrays of shapes that broadcast together."""

    blocks: Sequence[Count]
    width: Count
    scale: Count
    cardinality: Count
    se: Count


def cost(architecture: Architecture, *, image_size: int | None = None) -> Cost:
    """Count one network exactly.

    Args:
        architecture: the network.
        image_size: side of the square input in pixels; the skeleton's own by default.

    Returns:
        Parameters of the built module, MACs (half of what torch's FlopCounterMode sees in a
        forward pass of one image) and activations, to the unit.
    """
    dims = Dimensions(
        blocks=architecture.blocks,
        width=architecture.width,
        scale=architecture.scale,
        cardinality=architecture.cardinality,
        se=int(architecture.se),
    )
    tally = _count(architecture, dims, image_size or architecture.image_size)
    return Cost(int(tally.params), int(tally.macs), int(tally.activations))


def costs(base: Architecture, dims: Dimensions, *, image_size: int) -> Costs:
    """Count a grid of networks that differ from `base` in the given dimensions only.

    Args:
        base: gives skeleton, planes, version, first block and classes.
        dims: int64 arrays that broadcast together, one value for each network.
        image_size: side of the square input in pixels.

    Returns:
        int64 arrays of the broadcast shape.
    """
    tally = _count(base, dims, image_size)
    arrays = (dims.width, dims.scale, dims.cardinality, dims.se, *dims.blocks)
    shape = np.broadcast_shapes(*(np.shape(array) for array in arrays))
    return Costs(
        *(
            np.broadcast_to(np.asarray(total, dtype=np.int64), shape)
            for total in (tally.params, tally.macs, tally.activations)
        )
    )


class _Tally:
    """Running totals; `times` says how often a layer stands in the network."""

    def __init__(self) -> None:
        self.params: Count = 0
        self.macs: Count = 0
        self.activations: Count = 0

    def conv(
        self,
        channels_in: Count,
        channels_out: Count,
        *,
        kernel: int = 1,
        side: int,
        groups: Count = 1,
        times: Count = 1,
    ) -> None:
        weights = kernel * kernel * (channels_in // groups) * channels_out * times
        self.params = self.params + weights
        self.macs = self.macs + weights * (side * side)
        self.activations = self.activations + channels_out * times * (side * side)

    def norm(self, channels: Count, *, times: Count = 1) -> None:
        self.params = self.params + 2 * channels * times

    def bias(self, channels: Count, *, times: Count = 1) -> None:
        self.params = self.params + channels * times


def _count(base: Architecture, dims: Dimensions, image_size: int) -> _Tally:
    tally = _Tally()
    channels, side = _stem(tally, base, image_size)
    for stage, blocks in enumerate(dims.blocks):
        channels, side = _stage(tally, base, dims, _Place(stage, blocks, channels, side))
    tally.conv(channels, base.classes, side=1)
    tally.bias(base.classes)
    return tally


def _stem(tally: _Tally, base: Architecture, side: int) -> tuple[int, int]:
    """3x3 for CIFAR; 7x7/2 (v1) or three 3x3 (v1b), then pooling by 2, for ImageNet."""
    planes = base.planes
    if base.skeleton == "cifar":
        tally.conv(3, planes, kernel=3, side=side)
        tally.norm(planes)
        return planes, side
    side = _halved(side)
    if base.version == "v1b":
        half = planes // 2
        tally.conv(3, half, kernel=3, side=side)
        tally.conv(half, half, kernel=3, side=side)
        tally.conv(half, planes, kernel=3, side=side)
        tally.norm(half, times=2)
    else:
        tally.conv(3, planes, kernel=7, side=side)
    tally.norm(planes)
    return planes, _halved(side)


class _Place(NamedTuple):
    """Where a stage stands: its blocks, and the channels and side of what reaches it."""

    stage: int
    blocks: Count
    channels: int
    side: int


def _stage(
    tally: _Tally, base: Architecture, dims: Dimensions, place: _Place
) -> tuple[int, int]:
    stage, blocks, channels, side = place
    out = EXPANSION * base.planes * 2**stage
    inner = dims.width * 2**stage * dims.cardinality  # channels of one split
    out_side = side if stage == 0 else _halved(side)

    # One split needs its convolution; with more, the last one passes by (paper, Eq. 1).
    passing = (dims.scale > 1) * 1
    convolved = dims.scale - passing
    first_convolved = dims.scale if base.first_block == "all" else convolved
    rest = blocks - 1

    tally.conv(channels, inner * dims.scale, side=side)
    tally.conv(out, inner * dims.scale, side=out_side, times=rest)
    convolutions = first_convolved + rest * convolved
    tally.conv(
        inner, inner, kernel=3, side=out_side, groups=dims.cardinality, times=convolutions
    )
    tally.conv(inner * dims.scale, out, side=out_side, times=blocks)
    tally.conv(channels, out, side=out_side)  # the shortcut of the first block

    tally.norm(inner * dims.scale, times=blocks)
    tally.norm(inner, times=convolutions)
    tally.norm(out, times=blocks + 1)

    squeezed = squeeze_channels(out)
    tally.conv(out, squeezed, side=1, times=blocks * dims.se)
    tally.conv(squeezed, out, side=1, times=blocks * dims.se)
    tally.bias(out + squeezed, times=blocks * dims.se)
    return out, out_side


def squeeze_channels(channels: int) -> int:
    """Channels between the two layers of a squeeze-and-excitation over `channels`."""
    return max(1, channels // SE_REDUCTION)


def _halved(side: int) -> int:
    """Side after a layer of stride 2; all of ours round up."""
    return -(-side // 2)
