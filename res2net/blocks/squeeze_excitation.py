"""Weigh channels by what the whole image holds of them (Hu et al., CVPR 2018)."""

import torch
from torch import Tensor, nn

from res2net.tally import squeeze_channels


class SqueezeExcitation(nn.Module):
    """Compute channel weights from the pooled features by two biased 1x1 layers."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = int(squeeze_channels(channels))
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Scale each channel of `x`, of shape (N, C, H, W), by a weight in (0, 1)."""
        pooled = x.mean((2, 3), keepdim=True)
        return x * torch.sigmoid(self.fc2(torch.relu(self.fc1(pooled))))
