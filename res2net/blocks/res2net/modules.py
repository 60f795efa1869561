"""Make the Res2Net block in torch: scale, width, cardinality, squeeze-and-excitation.

Modules and their tensors have the names used in the published checkpoints.
"""

from typing import Final

import torch
from torch import Tensor, nn

from res2net.blocks.base import Position, Shape
from res2net.blocks.pooling import split_pool
from res2net.blocks.splits import convolved_splits, passing_splits
from res2net.blocks.squeeze_excitation import SqueezeExcitation


class Res2NetBlock(nn.Module):
    """Apply 1x1, hierarchical 3x3 over the splits, and 1x1; then add the shortcut.

    A block that changes stride or channels opens a stage: it adds no split to the next (their
    sides may differ), so its 3x3 convolutions run side by side.

    Args:
        shape: its dimensions, as integers.
        position: its surroundings; stride and dilation are those of the 3x3 convolutions.
        shortcut: makes the input match the output; None where it already does, or where the
            caller passes the shortcut to `forward`.
    """

    plain: Final[bool]
    opens: Final[bool]
    passing: Final[bool]

    def __init__(
        self, shape: Shape, position: Position, shortcut: nn.Module | None = None
    ) -> None:
        super().__init__()
        width, every = int(shape.split), int(shape.split * shape.scale)
        groups, out = int(shape.cardinality), position.out
        stride, dilation = position.stride, position.dilation
        count = int(convolved_splits(shape, position))
        self.plain = shape.scale == 1
        self.opens = position.opens
        self.passing = bool(passing_splits(shape, position))
        self.width = width
        self.convolved = width * count
        self.splits = count
        # Lists of layers that `res2net.joined` may compute as one.
        beside = self.opens and not self.plain
        self.joinable = ("convs", "bns", "acts") if beside else ()
        self.conv1 = nn.Conv2d(position.channels, every, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(every)
        self.act1 = nn.ReLU()
        if self.plain:
            self.conv2 = _conv3x3(width, groups, stride, dilation)
            self.bn2 = nn.BatchNorm2d(width)
            self.act2 = nn.ReLU()
        else:
            self.convs = nn.ModuleList(
                _conv3x3(width, groups, stride, dilation) for _ in range(count)
            )
            self.bns = nn.ModuleList(nn.BatchNorm2d(width) for _ in range(count))
            self.acts = nn.ModuleList(nn.ReLU() for _ in range(count))
        pooled = self.passing and self.opens
        self.pool = split_pool(stride, dilation) if pooled else nn.Identity()
        self.conv3 = nn.Conv2d(every, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.se = SqueezeExcitation(out) if shape.se else nn.Identity()
        self.downsample = nn.Identity() if shortcut is None else shortcut
        self.act3 = nn.ReLU() if position.activation else nn.Identity()

    def forward(self, x: Tensor, shortcut: Tensor | None = None) -> Tensor:
        """Map (N, channels, H, W) to (N, out, H / stride, W / stride).

        `shortcut`, a tensor of the output's shape, replaces the output of the block's own
        shortcut.
        """
        out = self._mix(self.act1(self.bn1(self.conv1(x))))
        out = self.se(self.bn3(self.conv3(out)))
        out = out + (self.downsample(x) if shortcut is None else shortcut)
        activated: Tensor = self.act3(out)
        return activated

    def _mix(self, x: Tensor) -> Tensor:
        """Apply the 3x3 convolutions to all splits together."""
        if self.plain:
            mixed: Tensor = self.act2(self.bn2(self.conv2(x)))
            return mixed
        return self._parallel(x) if self.opens else self._hierarchy(x)

    def _parallel(self, x: Tensor) -> Tensor:
        """Convolve each split by itself; a joined block has one convolution over all."""
        convolved = x[:, : self.convolved]
        splits = torch.split(convolved, self.convolved // len(self.convs), 1)
        outs: list[Tensor] = []
        # TorchScript does not know `strict`.
        for conv, bn, act in zip(self.convs, self.bns, self.acts):  # noqa: B905
            outs.append(act(bn(conv(splits[len(outs)]))))
        if self.passing:
            outs.append(self.pool(x[:, self.convolved :]))
        return torch.cat(outs, 1)

    def _hierarchy(self, x: Tensor) -> Tensor:
        """Compute Eq. 1: add the previous split's output to each split, then convolve it."""
        splits = torch.split(x, self.width, 1)
        outs: list[Tensor] = []
        # TorchScript does not know `strict`.
        for conv, bn, act in zip(self.convs, self.bns, self.acts):  # noqa: B905
            split = splits[len(outs)]
            split = outs[-1] + split if len(outs) > 0 else split
            outs.append(act(bn(conv(split))))
        outs.append(splits[-1])
        return torch.cat(outs, 1)


def _conv3x3(width: int, groups: int, stride: int, dilation: int) -> nn.Conv2d:
    return nn.Conv2d(
        width,
        width,
        3,
        stride,
        padding=dilation,
        dilation=dilation,
        groups=groups,
        bias=False,
    )
