"""Layers counted one by one, for one network or for many at once. No torch here.

Every count may be an integer or a NumPy array; `times` says how often a layer stands there.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from res2net.architecture import SE_REDUCTION

IntArray = npt.NDArray[np.int64]
Count = int | IntArray


class Shape(NamedTuple):
    """A block between its two 1x1 convolutions."""

    width: Count  # channels of one group of one split, at this stage
    scale: Count
    cardinality: Count
    se: Count

    @property
    def split(self) -> Count:
        """Channels of one split, all its groups together."""
        return self.width * self.cardinality

    @property
    def passing(self) -> Count:
        """Splits that pass by their convolution: with more than one, the last (Eq. 1)."""
        return (self.scale > 1) * 1


class Tally:
    """Running totals of parameters, multiply-adds and activations."""

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
        """A convolution without bias, putting out `side` x `side`; or a linear layer."""
        weights = kernel * kernel * (channels_in // groups) * channels_out * times
        self.params = self.params + weights
        self.macs = self.macs + weights * (side * side)
        self.activations = self.activations + channels_out * times * (side * side)

    def norm(self, channels: Count, *, times: Count = 1) -> None:
        """A batch norm with weight and bias."""
        self.params = self.params + 2 * channels * times

    def conv_norm(
        self, channels_in: Count, channels_out: Count, *, kernel: int = 1, side: int
    ) -> None:
        """A convolution and its norm."""
        self.conv(channels_in, channels_out, kernel=kernel, side=side)
        self.norm(channels_out)

    def bias(self, channels: Count, *, times: Count = 1) -> None:
        """One number a channel."""
        self.params = self.params + channels * times

    def block(  # noqa: PLR0913 - what a block is, all by keyword
        self,
        channels: Count,
        out: Count,
        shape: Shape,
        *,
        side: int,
        out_side: int,
        convolutions: Count,
        times: Count = 1,
    ) -> None:
        """Res2Net blocks of `convolutions` 3x3 each, from `channels` to `out` channels."""
        split, every = shape.split, shape.split * shape.scale
        self.conv(channels, every, side=side, times=times)
        self.norm(every, times=times)
        many = convolutions * times
        self.conv(split, split, kernel=3, side=out_side, groups=shape.cardinality, times=many)
        self.norm(split, times=many)
        self.conv(every, out, side=out_side, times=times)
        self.norm(out, times=times)
        squeezed = squeeze_channels(out)
        self.conv(out, squeezed, side=1, times=times * shape.se)
        self.conv(squeezed, out, side=1, times=times * shape.se)
        self.bias(out + squeezed, times=times * shape.se)


def squeeze_channels(channels: Count) -> Count:
    """Channels between the two layers of a squeeze-and-excitation over `channels`."""
    return at_least_one(channels // SE_REDUCTION)


def at_least_one(count: Count) -> Count:
    """`max(1, count)`, for arrays too, and exact for Python's integers."""
    return count + (count < 1) * (1 - count)


def halved(side: int) -> int:
    """Side after a layer of stride 2; all of ours round up."""
    return -(-side // 2)
