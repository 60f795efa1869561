"""Count layers one by one, for one network or for many at once. No torch here.

Every count may be an integer or a NumPy array; `times` says how many such layers there are.
"""

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
Count = int | IntArray

SE_REDUCTION = 16  # of the squeeze-and-excitation bottleneck; the paper leaves it unsaid


class Tally:
    """Add up parameters, multiply-adds and activations, layer by layer.

    Attributes:
        params: learnable numbers.
        macs: multiply-adds of convolutions and linear layers, for one image.
        activations: numbers that convolutions and linear layers put out, for one image.
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
        side: int,
        groups: Count = 1,
        times: Count = 1,
    ) -> None:
        """Add a convolution without bias that puts out `side` x `side`, or a linear layer."""
        weights = kernel * kernel * (channels_in // groups) * channels_out * times
        self.params = self.params + weights
        self.macs = self.macs + weights * (side * side)
        self.activations = self.activations + channels_out * times * (side * side)

    def norm(self, channels: Count, *, times: Count = 1) -> None:
        """Add a batch norm with weight and bias."""
        self.params = self.params + 2 * channels * times

    def conv_norm(
        self, channels_in: Count, channels_out: Count, *, kernel: int = 1, side: int
    ) -> None:
        """Add a convolution and its norm."""
        self.conv(channels_in, channels_out, kernel=kernel, side=side)
        self.norm(channels_out)

    def bias(self, channels: Count, *, times: Count = 1) -> None:
        """Add a bias: one number for each channel."""
        self.params = self.params + channels * times

    def squeeze_excitation(self, channels: Count, *, times: Count = 1) -> None:
        """Add a squeeze-and-excitation: two biased 1x1 layers on pooled features."""
        squeezed = squeeze_channels(channels)
        self.conv(channels, squeezed, side=1, times=times)
        self.conv(squeezed, channels, side=1, times=times)
        self.bias(channels + squeezed, times=times)


def squeeze_channels(channels: Count) -> Count:
    """Count the channels between the two layers of a squeeze-and-excitation."""
    return at_least_one(channels // SE_REDUCTION)


def at_least_one(count: Count) -> Count:
    """Compute `max(1, count)`, for arrays too, and exactly for Python's integers."""
    return count + (count < 1) * (1 - count)


def strided(side: int, stride: int) -> int:
    """Compute the side that a layer of this stride puts out; all of ours round up."""
    return -(-side // stride)
