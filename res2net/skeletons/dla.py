"""Deep layer aggregation (Yu et al., CVPR 2018): each stage is a tree of blocks.

The published code also holds projections whose results nobody reads (297,472 parameters of
DLA-60); they are left out here.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from res2net.architecture import Architecture
from res2net.skeletons import Pace
from res2net.skeletons.parts import MakeBlock, Parts, Place, conv_norm


def dla(a: Architecture, pace: Sequence[Pace], make_block: MakeBlock) -> Parts:
    """Stem and trees.

    Args:
        a: its skeleton is "dla"; its blocks are the levels of each stage's tree.
        pace: how each stage steps; as many stages are made.
        make_block: called once for each block.

    Returns:
        The parts in the order in which an image passes them, by their published names.
    """
    quarter, channels = a.planes // 4, a.planes // 2
    parts: Parts = {
        "base_layer": _layer(3, quarter, kernel=7),
        "level0": _layer(quarter, quarter, kernel=3),
        "level1": _layer(quarter, channels, kernel=3, stride=2),
    }
    for stage, step in enumerate(pace):
        out = a.facts.expansion * a.planes * 2**stage
        planting = _Planting(make_block, stage, out)
        parts[a.facts.stages[stage]] = planting.tree(
            a.blocks[stage], channels, step.stride, keeps_input=stage > 0
        )
        channels = out
    return parts


class Root(nn.Module):
    """Joins what the blocks below it put out, and what shallower trees hand down."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.conv, self.bn = conv_norm(channels, out)

    def forward(self, inputs: list[Tensor]) -> Tensor:
        """Tensors of one side, of `channels` together, to (N, out, H, W)."""
        return torch.relu_(self.bn(self.conv(torch.cat(inputs, 1))))


class Pair(nn.Module):
    """The smallest tree: two blocks and their root.

    Args:
        first: block that may change stride and channels; its shortcut is handed to it.
        second: block after it.
        root: joins both.
        pool: brings the input to the side of the output.
        project: brings the pooled input to the channels of the output.
        keeps_input: whether the pooled input goes to the root too.
    """

    def __init__(
        self,
        *,
        first: nn.Module,
        second: nn.Module,
        root: Root,
        pool: nn.Module,
        project: nn.Module,
        keeps_input: bool,
    ) -> None:
        super().__init__()
        self.downsample = pool
        self.project = project
        self.tree1 = first
        self.tree2 = second
        self.root = root
        self.keeps_input = keeps_input

    def forward(self, x: Tensor, handed_down: list[Tensor] | None = None) -> Tensor:
        """(N, channels, H, W) to (N, out, H / stride, W / stride)."""
        pooled = self.downsample(x)
        first = self.tree1(x, self.project(pooled))
        inputs = [self.tree2(first), first]
        if handed_down is not None:
            inputs = inputs + handed_down
        if self.keeps_input:
            inputs.append(pooled)
        out: Tensor = self.root(inputs)
        return out


class Tree(nn.Module):
    """A deeper tree: one tree, then another that is handed what the first put out.

    Args:
        first: tree that may change stride and channels.
        second: tree after it.
        pool: brings the input to the side of the output.
        keeps_input: whether the pooled input is handed down too.
    """

    def __init__(
        self, *, first: nn.Module, second: nn.Module, pool: nn.Module, keeps_input: bool
    ) -> None:
        super().__init__()
        self.downsample = pool
        self.tree1 = first
        self.tree2 = second
        self.keeps_input = keeps_input

    def forward(self, x: Tensor, handed_down: list[Tensor] | None = None) -> Tensor:
        """(N, channels, H, W) to (N, out, H / stride, W / stride)."""
        given: list[Tensor] = []
        if handed_down is not None:
            given = given + handed_down
        if self.keeps_input:
            given.append(self.downsample(x))
        first = self.tree1(x)
        given.append(first)
        out: Tensor = self.tree2(first, given)
        return out


class _Planting:
    """Makes the tree of one stage."""

    def __init__(self, make_block: MakeBlock, stage: int, out: int) -> None:
        self._make_block, self._stage, self._out = make_block, stage, out

    def tree(
        self,
        levels: int,
        channels: int,
        stride: int = 1,
        *,
        keeps_input: bool = False,
        joined: int = 0,
    ) -> nn.Module:
        """A tree of 2**levels blocks; its last root joins `joined` channels from outside."""
        joined += channels if keeps_input else 0
        # Rounding up, as the strided convolutions beside it do.
        pool = nn.MaxPool2d(stride, stride, ceil_mode=True) if stride > 1 else nn.Identity()
        if levels == 1:
            return self._pair(channels, stride, pool, keeps_input=keeps_input, joined=joined)
        return Tree(
            first=self.tree(levels - 1, channels, stride),
            second=self.tree(levels - 1, self._out, joined=joined + self._out),
            pool=pool,
            keeps_input=keeps_input,
        )

    def _pair(
        self, channels: int, stride: int, pool: nn.Module, *, keeps_input: bool, joined: int
    ) -> Pair:
        out = self._out
        same = channels == out
        return Pair(
            first=self._make_block(Place(self._stage, channels, out, stride)),
            second=self._make_block(Place(self._stage, out, out)),
            root=Root(2 * out + joined, out),
            pool=pool,
            project=nn.Identity() if same else nn.Sequential(*conv_norm(channels, out)),
            keeps_input=keeps_input,
        )


def _layer(channels: int, out: int, *, kernel: int, stride: int = 1) -> nn.Sequential:
    parts = conv_norm(channels, out, kernel=kernel, stride=stride)
    return nn.Sequential(*parts, nn.ReLU(inplace=True))
