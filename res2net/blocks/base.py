"""Declare what a block must provide and what information it gets. No torch here.

A block is an object with the three functions of `Block`: a built-in folder, or a user-defined
`package.module:attribute` or `path/to/file.py:attribute`. It never asks which skeleton holds
it. `res2net.blocks.checking.check_block` compares its counts with the modules that it makes.
Import torch inside `make_module`, so that counting works without it.
"""

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from res2net.tally import Count, Size, Tally

if TYPE_CHECKING:
    from torch import nn

FirstBlock = Literal["pool", "all"]
Paths = dict[int, int]  # number of paths, by receptive field in pixels


class Shape(NamedTuple):
    """Describe the inside of a block by the dimensions that a study varies.

    Each number is an integer for one network, or a NumPy array for a grid of networks.
    """

    width: Count  # channels of one group of one split, already doubled from stage to stage
    scale: Count  # splits; 1 is the ResNet or ResNeXt bottleneck
    cardinality: Count = 1  # groups of each convolution of a split
    se: Count = 0  # 1 for squeeze-and-excitation before the residual addition
    first_block: FirstBlock = "pool"  # what a block opening a stage does with its last split

    @property
    def split(self) -> Count:
        """Channels of one split, summed over its groups."""
        return self.width * self.cardinality


class Position(NamedTuple):
    """Describe the surroundings of a block: always integers."""

    channels: int  # of the block's input
    out: int  # channels of the block's output
    stride: int = 1
    dilation: int = 1  # of convolutions wider than 1x1
    activation: bool = True  # whether a ReLU follows the residual addition

    @property
    def opens(self) -> bool:
        """Whether the block changes stride or channels, as the first block of a stage does."""
        return self.stride != 1 or self.channels != self.out


class Block(Protocol):
    """Provide the modules, the counts and the receptive fields of one kind of block."""

    def make_module(
        self, shape: Shape, position: Position, shortcut: "nn.Module | None"
    ) -> "nn.Module":
        """Make one block.

        Args:
            shape: its dimensions, as integers.
            position: its surroundings.
            shortcut: a module that makes the input match the output; None where it matches
                already, or where the caller passes the shortcut to `forward`.

        Returns:
            A module whose `forward(x, shortcut=None)` maps (N, channels, H, W) to (N, out,
            ceil(H / stride), ceil(W / stride)) and adds the shortcut: the given tensor,
            otherwise its own shortcut module (or the identity) applied to `x`. `res2net.build`
            initialises convolutions, linear layers and batch norms; any other module with
            tensors of its own needs a method `reset_parameters()`, because networks are first
            made on the meta device.
        """

    def count_layers(
        self, tally: Tally, shape: Shape, position: Position, *, size: Size, times: Count = 1
    ) -> None:
        """Add the layers of `times` blocks to a tally, excluding those of the shortcut.

        Args:
            tally: has methods to add convolutions and linear layers (multiply-adds), norms and
                biases; for any other layer, add to its three totals directly.
            shape: integers, or NumPy arrays that broadcast together.
            position: its surroundings.
            size: of the input; `res2net.tally.strided` gives the size of the output.
            times: how many such blocks there are, possibly 0; an integer or an array.
        """

    def count_paths(self, shape: Shape, position: Position) -> Paths:
        """Count the paths through the block, without its shortcut.

        Args:
            shape: its dimensions, as integers.
            position: its surroundings; its dilation is always 1.

        Returns:
            Number of paths by receptive field in pixels of the block's own input; a 3x3
            convolution alone is {3: 1}.
        """
