"""Make the depthwise-separable block in torch."""

from typing import Any, Final

import torch
from torch import Tensor, nn

from res2net.blocks.base import Position, Shape
from res2net.blocks.joined import JoinedBatchNorm2d, JoinedConv2d
from res2net.blocks.pooling import split_pool
from res2net.blocks.splits import convolved_splits, passing_splits
from res2net.blocks.squeeze_excitation import SqueezeExcitation


class DepthwiseBlock(nn.Module):
    """Apply 1x1, a hierarchy of separable 3x3 over the splits, and 1x1, then add the shortcut.

    In a block that opens a stage there is no sum between the splits, so that their convolutions
    are computed as one.

    Args:
        shape: its dimensions, as integers; cardinality is the groups of each pointwise
            convolution.
        position: its surroundings; stride and dilation are those of the depthwise
            convolutions.
        shortcut: makes the input match the output; None where it already does, or where the
            caller hands the shortcut over.
    """

    joined: Final[bool]
    passing: Final[bool]
    activation: Final[bool]

    def __init__(
        self, shape: Shape, position: Position, shortcut: nn.Module | None = None
    ) -> None:
        super().__init__()
        width, every, out = int(shape.split), int(shape.split * shape.scale), position.out
        count = int(convolved_splits(shape, position))
        self.joined = position.opens
        self.passing = bool(passing_splits(shape, position))
        self.activation = position.activation
        self.width = width
        self.convolved = width * count
        self.conv1 = nn.Conv2d(position.channels, every, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(every)
        self.mixers: Any = (
            _separable(shape, position, splits=count)
            if self.joined
            else nn.ModuleList(_separable(shape, position, splits=1) for _ in range(count))
        )
        pooled = self.passing and self.joined
        self.pool = split_pool(position.stride, position.dilation) if pooled else nn.Identity()
        self.conv3 = nn.Conv2d(every, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.se = SqueezeExcitation(out) if shape.se else nn.Identity()
        self.downsample = nn.Identity() if shortcut is None else shortcut

    def forward(self, x: Tensor, shortcut: Tensor | None = None) -> Tensor:
        """(N, channels, H, W) to (N, out, H / stride, W / stride).

        `shortcut`, of the output's shape, replaces what the block's own shortcut makes.
        """
        out = self.se(self.bn3(self.conv3(self._mix(torch.relu_(self.bn1(self.conv1(x)))))))
        out = out.add_(self.downsample(x) if shortcut is None else shortcut)
        return torch.relu_(out) if self.activation else out

    def _mix(self, x: Tensor) -> Tensor:
        """Apply the separable convolutions to all splits together."""
        if self.joined:
            if self.passing:
                convolved, last = torch.split(x, [self.convolved, self.width], 1)
                return torch.cat([self.mixers(convolved), self.pool(last)], 1)
            mixed: Tensor = self.mixers(x)
            return mixed
        splits = torch.split(x, self.width, 1)
        outs: list[Tensor] = []
        for mixer in self.mixers:
            split = splits[len(outs)]
            split = outs[-1] + split if len(outs) > 0 else split
            outs.append(mixer(split))
        if self.passing:
            outs.append(splits[-1])
        return torch.cat(outs, 1)


def _separable(shape: Shape, position: Position, *, splits: int) -> nn.Sequential:
    """Make the separable convolutions of `splits` splits side by side."""
    width = int(shape.split)
    return nn.Sequential(
        JoinedConv2d(
            width,
            splits=splits,
            groups=width,
            stride=position.stride,
            dilation=position.dilation,
        ),
        JoinedBatchNorm2d(width, splits=splits),
        nn.ReLU(inplace=True),
        JoinedConv2d(width, splits=splits, groups=int(shape.cardinality), kernel=1),
        JoinedBatchNorm2d(width, splits=splits),
        nn.ReLU(inplace=True),
    )
