"""The Res2Net block with depthwise-separable convolutions, for networks of few multiply-adds.

Each 3x3 convolution of a split becomes a depthwise 3x3 and a pointwise 1x1, each with a norm
and a ReLU (Howard et al., MobileNets, 2017). The depthwise convolution carries the stride and
the dilation. Width, scale, squeeze-and-excitation and `first_block` mean what they mean in the
Res2Net block; cardinality is the number of groups of each pointwise convolution, so that a
split still has width x cardinality channels. Scale 1 gives a separable bottleneck, not
ResNet's.
"""

from typing import TYPE_CHECKING

from res2net.blocks.base import Position, Shape
from res2net.blocks.depthwise.layers import count_layers
from res2net.blocks.depthwise.paths import count_paths

if TYPE_CHECKING:
    from torch import nn

__all__ = ["count_layers", "count_paths", "make_module"]


def make_module(shape: Shape, position: Position, shortcut: "nn.Module | None") -> "nn.Module":
    """Make one block, as defined in `res2net.blocks.base.Block`."""
    from res2net.blocks.depthwise.modules import DepthwiseBlock  # noqa: PLC0415 - imports torch

    return DepthwiseBlock(shape, position, shortcut)
