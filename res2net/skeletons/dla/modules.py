"""Make the DLA skeleton in torch.

The published code also contains projections whose results are never used (297,472 parameters of
DLA-60); they are left out here.
"""

import torch
from torch import Tensor, nn

from res2net.skeletons.base import Layout, Stage
from res2net.skeletons.conv_norm import conv_norm


def make_modules(layout: Layout) -> dict[str, nn.Module]:
    """Make stem and trees.

    Returns:
        Modules by their published names, in the order in which an image passes through them.
    """
    quarter, channels = layout.planes // 4, layout.planes // 2
    modules: dict[str, nn.Module] = {
        "base_layer": _layer(layout.channels, quarter, kernel=7),
        "level0": _layer(quarter, quarter, kernel=3),
        "level1": _layer(quarter, channels, kernel=3, stride=2),
    }
    for index, stage in enumerate(layout.stages):
        modules[stage.name] = _TreeMaker(layout, stage).make(
            int(stage.blocks), channels, stage.pace.stride, keeps_input=index > 0
        )
        channels = stage.out
    return modules


class Root(nn.Module):
    """Join the outputs of two blocks and those passed down by shallower trees."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.conv, self.bn = conv_norm(channels, out)
        self.act = nn.ReLU()

    def forward(self, inputs: list[Tensor]) -> Tensor:
        """Map tensors of equal side, with `channels` channels in total, to (N, out, H, W)."""
        out: Tensor = self.act(self.bn(self.conv(torch.cat(inputs, 1))))
        return out


class Pair(nn.Module):
    """Apply the smallest tree: two blocks and their root.

    Args:
        first: block that may change stride and channels; it is given its shortcut.
        second: the block after it.
        root: joins both.
        pool: brings the input to the side of the output.
        project: brings the pooled input to the channels of the output.
        keeps_input: whether the root also gets the pooled input.
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
        """Map (N, channels, H, W) to (N, out, H / stride, W / stride)."""
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
    """Apply a deeper tree: one tree, then another that also gets the output of the first.

    Args:
        first: tree that may change stride and channels.
        second: the tree after it.
        pool: brings the input to the side of the output.
        keeps_input: whether the pooled input is passed down too.
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
        """Map (N, channels, H, W) to (N, out, H / stride, W / stride)."""
        given: list[Tensor] = []
        if handed_down is not None:
            given = given + handed_down
        if self.keeps_input:
            given.append(self.downsample(x))
        first = self.tree1(x)
        given.append(first)
        out: Tensor = self.tree2(first, given)
        return out


class _TreeMaker:
    """Make the tree of one stage."""

    def __init__(self, layout: Layout, stage: Stage) -> None:
        self._block, self._stage = layout.block, stage

    def make(
        self,
        levels: int,
        channels: int,
        stride: int = 1,
        *,
        keeps_input: bool = False,
        joined: int = 0,
    ) -> nn.Module:
        """Make a tree of 2**levels blocks; its last root joins `joined` additional channels."""
        joined += channels if keeps_input else 0
        # Rounds up, as the parallel strided convolutions do.
        pool = nn.MaxPool2d(stride, stride, ceil_mode=True) if stride > 1 else nn.Identity()
        if levels == 1:
            return self._pair(channels, stride, pool, keeps_input=keeps_input, joined=joined)
        out = self._stage.out
        return Tree(
            first=self.make(levels - 1, channels, stride),
            second=self.make(levels - 1, out, joined=joined + out),
            pool=pool,
            keeps_input=keeps_input,
        )

    def _pair(
        self, channels: int, stride: int, pool: nn.Module, *, keeps_input: bool, joined: int
    ) -> Pair:
        out, shape = self._stage.out, self._stage.shape
        first = self._stage.inside._replace(channels=channels, stride=stride)
        same = channels == out
        return Pair(
            first=self._block.make_module(shape, first, None),
            second=self._block.make_module(shape, self._stage.inside, None),
            root=Root(2 * out + joined, out),
            pool=pool,
            project=nn.Identity() if same else nn.Sequential(*conv_norm(channels, out)),
            keeps_input=keeps_input,
        )


def _layer(channels: int, out: int, *, kernel: int, stride: int = 1) -> nn.Sequential:
    pair = conv_norm(channels, out, kernel=kernel, stride=stride)
    return nn.Sequential(*pair, nn.ReLU())
