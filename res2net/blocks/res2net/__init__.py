"""The Res2Net block (paper, Eq. 1 and Fig. 3); with scale 1 the ResNet or ResNeXt bottleneck.

A 1x1 convolution, a hierarchy of 3x3 convolutions over the splits, a 1x1 convolution.
"""

from typing import TYPE_CHECKING

from res2net.blocks.base import Position, Shape
from res2net.blocks.res2net.layers import count_layers
from res2net.blocks.res2net.paths import count_paths

if TYPE_CHECKING:
    from torch import nn

__all__ = ["count_layers", "count_paths", "make_module"]


def make_module(shape: Shape, position: Position, shortcut: "nn.Module | None") -> "nn.Module":
    """Make one block, as defined in `res2net.blocks.base.Block`."""
    from res2net.blocks.res2net.modules import Res2NetBlock  # noqa: PLC0415 - imports torch

    return Res2NetBlock(shape, position, shortcut)
