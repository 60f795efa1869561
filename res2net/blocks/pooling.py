"""Average pooling with a dilated window, for where dilation replaces a stride.

At every `dilation`-th pixel, each gives what its strided form gives on the coarser map.
"""

import torch
from torch import Tensor, nn


def split_pool(stride: int, dilation: int) -> nn.Module:
    """Make the 3x3 average for the unconvolved split of a block whose splits may be strided."""
    return nn.AvgPool2d(3, stride, padding=1) if dilation == 1 else DilatedAvgPool3(dilation)


class DilatedAvgPool3(nn.Module):
    """Average over a dilated 3x3 window with stride 1; padded zeros count, as in the block."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        d, height, width = self.dilation, x.shape[2], x.shape[3]
        padded = nn.functional.pad(x, (d, d, d, d))
        rows = (
            padded[:, :, :height]
            + padded[:, :, d : d + height]
            + padded[:, :, 2 * d : 2 * d + height]
        )
        return (rows[..., :width] + rows[..., d : d + width] + rows[..., 2 * d :]) / 9


class DilatedAvgPool2(nn.Module):
    """Average over a dilated 2x2 window with stride 1; pixels outside the map do not count."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        d = self.dilation
        x = (x + torch.cat([x[:, :, d:], x[:, :, -d:]], 2)) / 2
        return (x + torch.cat([x[..., d:], x[..., -d:]], 3)) / 2
