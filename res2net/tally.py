"""Count layers one by one, for one network or for many at once. No torch here.

Every count may be an integer or a NumPy array; `times` is the number of identical layers.
"""

import operator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from res2net.errors import ArchitectureError

IntArray = npt.NDArray[np.int64]
Count = int | IntArray

SE_REDUCTION = 16  # of the squeeze-and-excitation bottleneck; not stated in the paper


class Size(NamedTuple):
    """Hold the size of an image or a feature map, in pixels."""

    height: int
    width: int

    @property
    def area(self) -> int:
        """Total number of pixels."""
        return self.height * self.width


ImageSize = int | tuple[int, int]  # side of a square, or height and width


def size_of(image_size: ImageSize) -> Size:
    """Give height and width of an image, also when given the side of a square.

    Raises:
        ArchitectureError: they are not two whole numbers from 1 up.
    """
    sides: Any = image_size
    if not isinstance(image_size, (tuple, list)):
        sides = (image_size, image_size)
    try:
        height, width = map(operator.index, sides)
    except (TypeError, ValueError):
        height = width = 0
    if min(height, width) < 1:
        raise ArchitectureError(
            "image_size",
            f"{image_size!r} is not the side of an image in pixels, or its height and width; "
            "write whole numbers from 1 up",
        )
    return Size(height, width)


ONE = Size(1, 1)  # of a map after global pooling


class Tally:
    """Add up parameters, multiply-adds and activations, layer by layer.

    Attributes:
        params: learnable numbers.
        macs: multiply-adds of convolutions and linear layers, for one image.
        activations: numbers that convolutions and linear layers output, for one image.
    """

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
        size: Size,
        groups: Count = 1,
        times: Count = 1,
    ) -> None:
        """Add a convolution without bias that outputs maps of `size`, or a linear layer."""
        weights = kernel * kernel * (channels_in // groups) * channels_out * times
        self.params = self.params + weights
        self.macs = self.macs + weights * size.area
        self.activations = self.activations + channels_out * times * size.area

    def norm(self, channels: Count, *, times: Count = 1) -> None:
        """Add a batch norm with weight and bias."""
        self.params = self.params + 2 * channels * times

    def conv_norm(
        self, channels_in: Count, channels_out: Count, *, kernel: int = 1, size: Size
    ) -> None:
        """Add a convolution and its norm."""
        self.conv(channels_in, channels_out, kernel=kernel, size=size)
        self.norm(channels_out)

    def bias(self, channels: Count, *, times: Count = 1) -> None:
        """Add a bias: one number for each channel."""
        self.params = self.params + channels * times

    def squeeze_excitation(self, channels: Count, *, times: Count = 1) -> None:
        """Add a squeeze-and-excitation: two biased 1x1 layers on pooled features."""
        squeezed = squeeze_channels(channels)
        self.conv(channels, squeezed, size=ONE, times=times)
        self.conv(squeezed, channels, size=ONE, times=times)
        self.bias(channels + squeezed, times=times)


def squeeze_channels(channels: Count) -> Count:
    """Count the channels between the two layers of a squeeze-and-excitation."""
    return at_least_one(channels // SE_REDUCTION)


def at_least_one(count: Count) -> Count:
    """Compute `max(1, count)`, for arrays too, and exactly for Python's integers."""
    return count + (count < 1) * (1 - count)


def strided(size: Size, stride: int) -> Size:
    """Compute the output size of a layer with this stride; all our layers round up."""
    return Size(-(-size.height // stride), -(-size.width // stride))
