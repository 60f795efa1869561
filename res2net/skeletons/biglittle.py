"""Big-Little Net (Chen et al., ICLR 2019): two branches of two resolutions in a stage.

The big branch works at half the side with most of the blocks; the little one at the full side
with few and slim blocks. alpha and beta, its paper's names, are 2 and 4.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from res2net.architecture import Architecture
from res2net.counting import BIGLITTLE_ALPHA, BIGLITTLE_BETA
from res2net.skeletons import Pace
from res2net.skeletons.parts import MakeBlock, Parts, Place, conv_norm


def biglittle(a: Architecture, pace: Sequence[Pace], make_block: MakeBlock) -> Parts:
    """Stem, three stages of two branches, an ordinary one.

    Args:
        a: its skeleton is "biglittle".
        pace: how each stage steps; as many stages are made.
        make_block: called once for each block.

    Returns:
        The parts in the order in which an image passes them.
    """
    parts: Parts = {"stem": Stem(a.planes)}
    channels = a.planes
    for stage, step in enumerate(pace):
        out = a.facts.expansion * a.planes * 2**stage
        entry, blocks = Place(stage, channels, out), a.blocks[stage]
        parts[a.facts.stages[stage]] = (
            _branches(make_block, entry, blocks, stride=step.stride)
            if stage < 3
            else _run(make_block, entry._replace(stride=step.stride), blocks)
        )
        channels = out
    return parts


class Stem(nn.Module):
    """7x7 of stride 2, then a strided 3x3 beside a slim detour, merged."""

    def __init__(self, planes: int) -> None:
        super().__init__()
        slim = planes // BIGLITTLE_ALPHA
        self.conv1, self.bn1 = conv_norm(3, planes, kernel=7, stride=2)
        self.b_conv0, self.bn_b0 = conv_norm(planes, planes, kernel=3, stride=2)
        self.l_conv0, self.bn_l0 = conv_norm(planes, slim, kernel=3)
        self.l_conv1, self.bn_l1 = conv_norm(slim, slim, kernel=3, stride=2)
        self.l_conv2, self.bn_l2 = conv_norm(slim, planes)
        self.bl_init, self.bn_bl_init = conv_norm(planes, planes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, planes, H / 4, W / 4)."""
        x = torch.relu_(self.bn1(self.conv1(x)))
        big = self.bn_b0(self.b_conv0(x))
        little = torch.relu_(self.bn_l0(self.l_conv0(x)))
        little = torch.relu_(self.bn_l1(self.l_conv1(little)))
        merged = torch.relu_(big + self.bn_l2(self.l_conv2(little)))
        return torch.relu_(self.bn_bl_init(self.bl_init(merged)))


class Branches(nn.Module):
    """A stage: both branches, merged at the full side, and a block over the sum.

    Args:
        big: blocks at half the side; without a ReLU at the end.
        little: slim blocks at the full side.
        widen: brings the little branch to the channels of the big one.
        fusion: block over the sum.
    """

    def __init__(
        self, *, big: nn.Module, little: nn.Module, widen: nn.Module, fusion: nn.Module
    ) -> None:
        super().__init__()
        self.big = big
        self.little = little
        self.little_e = widen
        self.fusion = fusion

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, out, H / stride, W / stride)."""
        little = self.little_e(self.little(x))
        big = F.interpolate(self.big(x), size=little.shape[2:])  # nearest
        out: Tensor = self.fusion(torch.relu_(big + little))
        return out


def _run(make_block: MakeBlock, first: Place, blocks: int) -> nn.Sequential:
    """`blocks` of them from `first` on; its activation is that of the last."""
    shortcut = _shortcut(first.channels, first.out, first.stride)
    inside = Place(first.stage, first.out, first.out, slim=first.slim)
    places = [first._replace(shortcut=shortcut, activation=True), *[inside] * (blocks - 1)]
    places[-1] = places[-1]._replace(activation=first.activation)
    return nn.Sequential(*map(make_block, places))


def _branches(make_block: MakeBlock, entry: Place, blocks: int, *, stride: int) -> Branches:
    """The stage that is entered at `entry`; `stride` is of the block over both branches."""
    slim = entry.out // BIGLITTLE_ALPHA
    few = max(1, blocks // BIGLITTLE_BETA - 1)
    over = Place(entry.stage, entry.out, entry.out, stride)
    return Branches(
        big=_run(make_block, entry._replace(stride=2, activation=False), blocks - 1),
        little=_run(make_block, entry._replace(out=slim, slim=True), few),
        widen=nn.Sequential(*conv_norm(slim, entry.out)),
        fusion=_run(make_block, over, 1),
    )


def _shortcut(channels: int, out: int, stride: int) -> nn.Module | None:
    """A 3x3 average where the side changes, a 1x1 where the channels do."""
    pool = [] if stride == 1 else [nn.AvgPool2d(3, stride, padding=1)]
    project = [] if channels == out else conv_norm(channels, out)
    return nn.Sequential(*pool, *project) if pool or project else None
