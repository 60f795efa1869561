"""Weight channels by their average over the whole image (Hu et al., CVPR 2018)."""

from torch import Tensor, nn

from res2net.tally import squeeze_channels


class SqueezeExcitation(nn.Module):
    """Compute channel weights from the pooled features with two biased 1x1 layers."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = int(squeeze_channels(channels))
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.act = nn.ReLU()
        self.fc2 = nn.Conv2d(squeezed, channels, 1)
        self.gate = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Scale each channel of `x`, of shape (N, C, H, W), by a weight in (0, 1)."""
        pooled = x.mean((2, 3), keepdim=True)
        scaled: Tensor = x * self.gate(self.fc2(self.act(self.fc1(pooled))))
        return scaled
