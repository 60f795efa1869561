"""The Res2Net block (paper, Eq. 1 and Fig. 3): scale, width, cardinality, SE.

A block never knows where it stands: it is told its channels and its stride. Names of modules,
and of what they store, are those of the published checkpoints.
"""

from typing import Any, Final

import torch
from torch import Tensor, nn

from res2net.joined import JoinedBatchNorm2d, JoinedConv2d
from res2net.pooling import SpreadAvgPool3
from res2net.skeletons import FirstBlock
from res2net.tally import squeeze_channels


class SqueezeExcitation(nn.Module):
    """Channel weights from the pooled features (Hu et al.), biased 1x1 layers."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = int(squeeze_channels(channels))
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Scale each channel of `x`, of shape (N, C, H, W), by a weight in (0, 1)."""
        pooled = x.mean((2, 3), keepdim=True)
        return x * torch.sigmoid(self.fc2(torch.relu(self.fc1(pooled))))


class Res2NetBlock(nn.Module):
    """1x1, then a hierarchy of 3x3 over the splits, then 1x1, added to the shortcut.

    A block that changes stride or channels opens a stage: there is no sum between its splits
    (their sides may differ), so its 3x3 convolutions are computed as one.

    Args:
        channels: channels of the input.
        out: channels put out.
        width: channels of one split, all its groups together.
        scale: number of splits; 1 is the ResNet or ResNeXt bottleneck.
        cardinality: groups of each 3x3 convolution.
        stride: of the 3x3 convolutions.
        dilation: of the 3x3 convolutions.
        first_block: what a block that opens a stage does with its last split: average it
            ("pool") or convolve it too ("all").
        se: squeeze-and-excitation before the residual addition.
        shortcut: makes the input match the output; None where it already does, or where the
            caller hands the shortcut over.
        activation: whether a ReLU ends the block.
    """

    plain: Final[bool]
    joined: Final[bool]
    passing: Final[bool]
    activation: Final[bool]

    def __init__(  # noqa: PLR0913 - the dimensions of the block, all by keyword
        self,
        *,
        channels: int,
        out: int,
        width: int,
        scale: int,
        cardinality: int = 1,
        stride: int = 1,
        dilation: int = 1,
        first_block: FirstBlock = "pool",
        se: bool = False,
        shortcut: nn.Module | None = None,
        activation: bool = True,
    ) -> None:
        super().__init__()
        opens = stride != 1 or channels != out
        self.plain = scale == 1
        self.joined = opens
        self.passing = scale > 1 and not (opens and first_block == "all")
        self.activation = activation
        self.width = width
        self.convolved = width * (scale - self.passing)
        self.conv1 = nn.Conv2d(channels, width * scale, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width * scale)
        parts = scale - self.passing
        if self.plain:
            self.conv2 = _conv3x3(width, cardinality, stride, dilation)
            self.bn2 = nn.BatchNorm2d(width)
        elif self.joined:
            self.convs: Any = JoinedConv2d(
                width, parts=parts, groups=cardinality, stride=stride, dilation=dilation
            )
            self.bns: Any = JoinedBatchNorm2d(width, parts=parts)
        else:
            self.convs = nn.ModuleList(
                _conv3x3(width, cardinality, stride, dilation) for _ in range(parts)
            )
            self.bns = nn.ModuleList(nn.BatchNorm2d(width) for _ in range(parts))
        self.pool = _pool(stride, dilation) if self.passing and opens else nn.Identity()
        self.conv3 = nn.Conv2d(width * scale, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.se = SqueezeExcitation(out) if se else nn.Identity()
        self.downsample = nn.Identity() if shortcut is None else shortcut

    def forward(self, x: Tensor, shortcut: Tensor | None = None) -> Tensor:
        """(N, channels, H, W) to (N, out, H / stride, W / stride).

        `shortcut`, of the output's shape, takes the place of the block's own.
        """
        out = self.se(self.bn3(self.conv3(self._mix(torch.relu_(self.bn1(self.conv1(x)))))))
        out = out.add_(self.downsample(x) if shortcut is None else shortcut)
        return torch.relu_(out) if self.activation else out

    def _mix(self, x: Tensor) -> Tensor:
        """What the 3x3 convolutions make of all splits together."""
        if self.plain:
            return torch.relu_(self.bn2(self.conv2(x)))
        if self.joined:
            if self.passing:
                convolved, last = torch.split(x, [self.convolved, self.width], 1)
                mixed = torch.relu_(self.bns(self.convs(convolved)))
                return torch.cat([mixed, self.pool(last)], 1)
            return torch.relu_(self.bns(self.convs(x)))
        return self._hierarchy(x)

    def _hierarchy(self, x: Tensor) -> Tensor:
        """Eq. 1: each split joins what the one before it became."""
        splits = torch.split(x, self.width, 1)
        outs: list[Tensor] = []
        # `strict` is not known to TorchScript.
        for conv, bn in zip(self.convs, self.bns):  # noqa: B905
            split = splits[len(outs)]
            split = outs[-1] + split if len(outs) > 0 else split
            outs.append(torch.relu_(bn(conv(split))))
        outs.append(splits[-1])
        return torch.cat(outs, 1)


def _conv3x3(width: int, cardinality: int, stride: int, dilation: int) -> nn.Conv2d:
    return nn.Conv2d(
        width,
        width,
        3,
        stride,
        padding=dilation,
        dilation=dilation,
        groups=cardinality,
        bias=False,
    )


def _pool(stride: int, dilation: int) -> nn.Module:
    """What a split that passes by needs where the others change their side."""
    return nn.AvgPool2d(3, stride, padding=1) if dilation == 1 else SpreadAvgPool3(dilation)
