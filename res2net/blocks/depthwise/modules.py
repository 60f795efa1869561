"""Make the depthwise-separable block in torch."""

from typing import Final

import torch
from torch import Tensor, nn

from res2net.blocks.base import Position, Shape
from res2net.blocks.pooling import split_pool
from res2net.blocks.splits import convolved_splits, passing_splits
from res2net.blocks.squeeze_excitation import SqueezeExcitation


class DepthwiseBlock(nn.Module):
    """Apply 1x1, hierarchical separable 3x3 over the splits, and 1x1; then add the shortcut.

    A block that opens a stage adds no split to the next: their convolutions run side by side.

    Args:
        shape: its dimensions, as integers; cardinality is the number of groups of each
            pointwise convolution.
        position: its surroundings; stride and dilation are those of the depthwise
            convolutions.
        shortcut: makes the input match the output; None where it already does, or where the
            caller passes the shortcut to `forward`.
    """

    opens: Final[bool]
    passing: Final[bool]

    def __init__(
        self, shape: Shape, position: Position, shortcut: nn.Module | None = None
    ) -> None:
        super().__init__()
        width, every, out = int(shape.split), int(shape.split * shape.scale), position.out
        count = int(convolved_splits(shape, position))
        self.opens = position.opens
        self.passing = bool(passing_splits(shape, position))
        self.width = width
        self.convolved = width * count
        self.splits = count
        # Lists of layers that `res2net.joined` may compute as one.
        self.joinable = ("mixers",) if self.opens else ()
        self.conv1 = nn.Conv2d(position.channels, every, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(every)
        self.act1 = nn.ReLU()
        self.mixers = nn.ModuleList(_separable(shape, position) for _ in range(count))
        pooled = self.passing and self.opens
        self.pool = split_pool(position.stride, position.dilation) if pooled else nn.Identity()
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
        """Apply the separable convolutions to all splits together."""
        return self._parallel(x) if self.opens else self._hierarchy(x)

    def _parallel(self, x: Tensor) -> Tensor:
        """Convolve each split by itself; a joined block has one convolution over all."""
        convolved = x[:, : self.convolved]
        splits = torch.split(convolved, self.convolved // len(self.mixers), 1)
        outs: list[Tensor] = []
        for mixer in self.mixers:
            outs.append(mixer(splits[len(outs)]))
        if self.passing:
            outs.append(self.pool(x[:, self.convolved :]))
        return torch.cat(outs, 1)

    def _hierarchy(self, x: Tensor) -> Tensor:
        """Add the output of the previous split to each split, then convolve it."""
        splits = torch.split(x, self.width, 1)
        outs: list[Tensor] = []
        for mixer in self.mixers:
            split = splits[len(outs)]
            split = outs[-1] + split if len(outs) > 0 else split
            outs.append(mixer(split))
        if self.passing:
            outs.append(splits[-1])
        return torch.cat(outs, 1)


def _separable(shape: Shape, position: Position) -> nn.Sequential:
    """Make the separable convolution of one split."""
    width, stride, dilation = int(shape.split), position.stride, position.dilation
    return nn.Sequential(
        nn.Conv2d(
            width,
            width,
            3,
            stride,
            padding=dilation,
            dilation=dilation,
            groups=width,
            bias=False,
        ),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, width, 1, groups=int(shape.cardinality), bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
    )
