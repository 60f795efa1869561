"""The Res2Net block (paper, Eq. 1 and Fig. 3): scale, width, cardinality, SE.

A block never knows where it stands: it is told its channels, its stride and whether it opens
a stage. Module names are those of the published checkpoints.
"""

import torch
from torch import Tensor, nn

from res2net.architecture import EXPANSION, FirstBlock
from res2net.cost import squeeze_channels


class SqueezeExcitation(nn.Module):
    """Channel weights from the pooled features (Hu et al.), biased 1x1 layers."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = squeeze_channels(channels)
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Scale each channel of `x`, of shape (N, C, H, W), by a weight in (0, 1)."""
        pooled = x.mean((2, 3), keepdim=True)
        return x * torch.sigmoid(self.fc2(torch.relu(self.fc1(pooled))))


class Res2NetBlock(nn.Module):
    """1x1, then a hierarchy of 3x3 over the splits, then 1x1, added to the shortcut.

    Args:
        channels: channels of the input.
        planes: a quarter of the channels put out.
        width: channels of one split, all its groups together.
        scale: number of splits; 1 is the ResNet or ResNeXt bottleneck.
        cardinality: groups of each 3x3 convolution.
        stride: of the 3x3 convolutions.
        first: None inside a stage. In the block that opens one there is no sum between splits
            (their sides may differ), and the last split is averaged ("pool") or convolved
            too ("all").
        se: squeeze-and-excitation before the residual addition.
        shortcut: makes the input match the output; None where it already does.
    """

    def __init__(  # noqa: PLR0913 - the dimensions of the block, all by keyword
        self,
        *,
        channels: int,
        planes: int,
        width: int,
        scale: int,
        cardinality: int = 1,
        stride: int = 1,
        first: FirstBlock | None = None,
        se: bool = False,
        shortcut: nn.Module | None = None,
    ) -> None:
        super().__init__()
        out = EXPANSION * planes
        every_split = scale == 1 or first == "all"
        self.width = width
        self.hierarchical = first is None
        self.conv1 = nn.Conv2d(channels, width * scale, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width * scale)
        self.convs = nn.ModuleList(
            nn.Conv2d(width, width, 3, stride, padding=1, groups=cardinality, bias=False)
            for _ in range(scale if every_split else scale - 1)
        )
        self.bns = nn.ModuleList(nn.BatchNorm2d(width) for _ in self.convs)
        # Only the block that opens a stage changes the side of the split that passes by.
        self.pool = nn.AvgPool2d(3, stride, padding=1) if first == "pool" else nn.Identity()
        self.conv3 = nn.Conv2d(width * scale, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.se = SqueezeExcitation(out) if se else nn.Identity()
        self.downsample = nn.Identity() if shortcut is None else shortcut

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, 4 x planes, H / stride, W / stride)."""
        splits = torch.split(torch.relu_(self.bn1(self.conv1(x))), self.width, 1)
        outs: list[Tensor] = []
        for index, (conv, bn) in enumerate(zip(self.convs, self.bns, strict=True)):
            split = splits[index]
            if self.hierarchical and index > 0:
                split = outs[-1] + split
            outs.append(torch.relu_(bn(conv(split))))
        if len(outs) < len(splits):
            outs.append(self.pool(splits[-1]))
        out = self.se(self.bn3(self.conv3(torch.cat(outs, 1) if len(outs) > 1 else outs[0])))
        return torch.relu_(out + self.downsample(x))
