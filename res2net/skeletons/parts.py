"""What every skeleton is made of: named parts, one after another, and blocks made to order.

A skeleton never asks which block it holds: it gives a factory the place of each block.
"""

from collections.abc import Callable
from typing import NamedTuple

from torch import nn

Parts = dict[str, nn.Module]  # in the order in which an image passes them


class Place(NamedTuple):
    """Where a block stands."""

    stage: int
    channels: int  # that it is given
    out: int  # that it puts out
    stride: int = 1
    dilation: int = 1
    shortcut: nn.Module | None = None  # None: the input as it is, or handed over by a tree
    slim: bool = False  # in the little branch of "biglittle"
    activation: bool = True  # whether a ReLU ends it


MakeBlock = Callable[[Place], nn.Module]


def conv_norm(
    channels: int, out: int, *, kernel: int = 1, stride: int = 1
) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    """A convolution that keeps the side (or divides it by its stride), and its norm."""
    conv = nn.Conv2d(channels, out, kernel, stride, padding=kernel // 2, bias=False)
    return conv, nn.BatchNorm2d(out)
