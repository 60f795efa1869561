"""Averages that keep their meaning where a stride was cut: the window is spread out instead.

Each gives, at every `dilation`-th place, what its strided form gives at the coarser side.
"""

import torch
from torch import Tensor, nn


class SpreadAvgPool3(nn.Module):
    """3x3 average of stride 1 with spread-out taps; padded zeros count, as in the block."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        d, height, width = self.dilation, x.shape[2], x.shape[3]
        padded = nn.functional.pad(x, (d, d, d, d))
        rows = (
            padded[:, :, :height]
            + padded[:, :, d : d + height]
            + padded[:, :, 2 * d : 2 * d + height]
        )
        return (rows[..., :width] + rows[..., d : d + width] + rows[..., 2 * d :]) / 9


class SpreadAvgPool2(nn.Module):
    """2x2 average of stride 1 with spread-out taps; what lies outside does not count."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        d = self.dilation
        x = (x + torch.cat([x[:, :, d:], x[:, :, -d:]], 2)) / 2
        return (x + torch.cat([x[..., d:], x[..., -d:]], 3)) / 2
