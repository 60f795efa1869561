"""Put out the features of the stages of a network, for detection, segmentation and so on."""

from collections.abc import Mapping

from torch import Tensor, nn


class Backbone(nn.ModuleDict):
    """Apply modules one after another, and put out what some of them made.

    The modules are children in the order in which an image passes them, so that torchvision's
    `IntermediateLayerGetter` and `BackboneWithFPN` take it as it is.

    Args:
        layers: modules by name.
        keys: of the modules whose output is a feature, by name: the key in the dict.
        channels: of each feature, by key.
        strides: of each feature against the image, by key.

    Attributes:
        channels: of each feature, by key.
        strides: of each feature against the image, by key.
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
        """Images (N, channels, H, W) to features (N, C, H / stride, W / stride), by key."""
        features: dict[str, Tensor] = {}
        for name, module in self.items():
            x = module(x)
            if name in self._keys:
                features[self._keys[name]] = x
        return features
