"""SimpleBaseline: three deconvolutions on the last features (Xiao et al., arXiv:1804.06208)."""

from torch import Tensor, nn

from res2net import Architecture
from search.tasks.heads import backbone_of, seeded

_DECONVOLUTIONS = 3
_SPREAD = 0.001  # standard deviation of the initial weights, as in the paper


class SimpleBaseline(nn.Module):
    """A backbone, three deconvolutions of stride 2, and a 1x1 convolution to heatmaps.

    Args:
        architecture: architecture of the backbone.
        joints: number of heatmaps.
        channels: channels of each deconvolution.
        seed: seed of all weights.
    """

    def __init__(
        self, architecture: Architecture, *, joints: int, channels: int, seed: int
    ) -> None:
        super().__init__()
        self.backbone = backbone_of(architecture, seed=seed)
        self._last = list(self.backbone.channels)[-1]
        width = self.backbone.channels[self._last]
        self.head = seeded(lambda: _head(width, channels, joints), seed=seed)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) to heatmaps (N, joints, H / 4, W / 4), for a backbone stride of 32."""
        heatmaps: Tensor = self.head(self.backbone(images)[self._last])
        return heatmaps


def _head(width: int, channels: int, joints: int) -> nn.Sequential:
    head = nn.Sequential()
    for number in range(_DECONVOLUTIONS):
        inputs = channels if number else width
        head.extend(
            [
                nn.ConvTranspose2d(inputs, channels, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(inplace=True),
            ]
        )
    head.append(nn.Conv2d(channels, joints, 1))
    for module in head:
        if isinstance(module, nn.ConvTranspose2d | nn.Conv2d):
            nn.init.normal_(module.weight, std=_SPREAD)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return head
