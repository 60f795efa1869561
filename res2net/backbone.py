"""The stages of a network as features for detection, segmentation and the like."""

from collections.abc import Mapping

from torch import Tensor, nn


class Backbone(nn.ModuleDict):
    """Parts one after another, some of which also put out what they made.

    The parts are children in the order in which an image passes them, so that torchvision's
    `IntermediateLayerGetter` and `BackboneWithFPN` take it as it is.

    Args:
        parts: by name.
        keys: of the parts that put out, by name: the key in the dict of features.
        channels: of each feature, by key.
        strides: of each feature against the image, by key.

    Attributes:
        channels: of each feature, by key.
        strides: of each feature against the image, by key.
    """

    def __init__(
        self,
        parts: Mapping[str, nn.Module],
        *,
        keys: Mapping[str, str],
        channels: Mapping[str, int],
        strides: Mapping[str, int],
    ) -> None:
        super().__init__(parts)
        self._keys = dict(keys)
        self.channels = dict(channels)
        self.strides = dict(strides)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Images (N, 3, H, W) to features (N, C, H / stride, W / stride), finest first."""
        features: dict[str, Tensor] = {}
        for name, part in self.items():
            x = part(x)
            if name in self._keys:
                features[self._keys[name]] = x
        return features
