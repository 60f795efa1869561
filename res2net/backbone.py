"""Output the features of a network's stages, for detection, segmentation and so on."""

from collections.abc import Mapping

from torch import Tensor, nn


class Backbone(nn.ModuleDict):
    """Apply modules one after another and return the outputs of some of them.

    The modules are children in the order in which an image passes through them, so that
    torchvision's `IntermediateLayerGetter` and `BackboneWithFPN` accept the backbone as it is.

    Args:
        layers: modules by name.
        keys: for each module whose output is a feature, by name: its key in the output dict.
        channels: channels of each feature, by key.
        strides: stride of each feature relative to the image, by key.

    Attributes:
        channels: channels of each feature, by key.
        strides: stride of each feature relative to the image, by key.
    """

    def __init__(
        self,
        layers: Mapping[str, nn.Module],
        *,
        keys: Mapping[str, str],
        channels: Mapping[str, int],
        strides: Mapping[str, int],
    ) -> None:
        super().__init__(layers)
        self._keys = dict(keys)
        self.channels = dict(channels)
        self.strides = dict(strides)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Map images (N, channels, H, W) to features (N, C, H / stride, W / stride), by key."""
        features: dict[str, Tensor] = {}
        for name, module in self.items():
            x = module(x)
            if name in self._keys:
                features[self._keys[name]] = x
        return features
