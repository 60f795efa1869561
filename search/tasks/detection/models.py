"""Faster R-CNN and Mask R-CNN of torchvision, with a feature pyramid on one of our backbones.

Ren et al., 2015 (arXiv 1506.01497); He et al., 2017 (arXiv 1703.06870); Lin et al., 2017
(arXiv 1612.03144). The paper trains them in its Tables 5, 6 and 8.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN, MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.rpn import RPNHead
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from res2net import Architecture
from res2net.backbone import Backbone
from search.tasks.heads import (
    as_float,
    backbone_of,
    one_a_stride,
    require_finite,
    seeded,
    without_autocast,
)
from search.tasks.scenes import MEAN, STD

_RATIOS = (0.5, 1.0, 2.0)  # height over width of the anchors at each place
_POOLED = "pool"  # level that the pyramid adds above the last stage


class Pyramid(NamedTuple):
    """Settings of the pyramid and the heads.

    Attributes:
        channels: channels of each level of the pyramid.
        hidden: width of the two layers that process each box.
        sampled: boxes of an image that these layers are trained on.
        proposals: boxes of an image that they process; None for torchvision's numbers.
        anchor: side of an anchor over the stride of its level.
    """

    channels: int = 256
    hidden: int = 1024
    sampled: int = 512
    proposals: int | None = None
    anchor: float = 8


class WithPyramid(nn.Module):
    """A backbone with a feature pyramid, as torchvision's detectors take it.

    Args:
        body: a backbone that outputs the features of its stages.
        channels: channels of each level of the pyramid.

    Attributes:
        out_channels: same as `channels`.
        levels: names of its levels, the finest first; the last one is pooled.
    """

    def __init__(self, body: Backbone, channels: int) -> None:
        super().__init__()
        self.body = body
        self._taken = one_a_stride(body.strides)
        sizes = [body.channels[key] for key in self._taken]
        self.fpn = FeaturePyramidNetwork(sizes, channels, extra_blocks=LastLevelMaxPool())
        self.out_channels = channels
        self.levels = (*self._taken, _POOLED)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Images (N, 3, H, W) to features (N, channels, H / stride, W / stride) by level.

        Raises:
            DivergedError: a feature is not finite; not in training, where the loss shows it.
        """
        features = self.body(images)
        levels: dict[str, Tensor]
        levels = self.fpn(OrderedDict((key, features[key]) for key in self._taken))
        # Anchors and boxes use the features' dtype, and bf16 numbers from 256 on are 2 px
        # apart.
        levels = {key: as_float(level) for key, level in levels.items()}
        if not self.training:
            for level in levels.values():
                require_finite(level)
        return levels


class _Proposals(RPNHead):  # type: ignore[misc]  # no type information
    """Scores and boxes of anchors; the last layers are in fp32 within a bf16 pass."""

    def forward(self, x: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        seen = [self.conv(level) for level in x]
        with without_autocast(x[0]):
            exact = [as_float(level) for level in seen]
            return [*map(self.cls_logits, exact)], [*map(self.bbox_pred, exact)]


class _Boxes(FastRCNNPredictor):  # type: ignore[misc]  # no type information
    """Scores and boxes of proposals, in fp32 within a bf16 pass."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        with without_autocast(x):
            scores, boxes = super().forward(as_float(x))
        if not self.training:  # a score of NaN would only look uncertain
            require_finite(scores)
            require_finite(boxes)
        return scores, boxes


class _Masks(MaskRCNNPredictor):  # type: ignore[misc]  # no type information
    """Logits of masks, which are resized to their boxes in fp32."""

    def forward(self, x: Tensor) -> Tensor:
        return as_float(super().forward(x))


def make_detector(
    architecture: Architecture,
    *,
    classes: int,
    side: int,
    pyramid: Pyramid,
    masks: bool,
    seed: int,
) -> nn.Module:
    """Make a detector, all its weights drawn from a seed.

    Args:
        architecture: architecture of the backbone.
        classes: number of classes of objects, without the background.
        side: side of the images in pixels.
        pyramid: settings of the pyramid and the heads.
        masks: whether to predict the pixels of each object as well.
        seed: seed of all weights.

    Returns:
        A module that takes a list of images (3, H, W) in 0 to 1 and, in training, targets with
        boxes, labels (from 1) and masks. It returns losses by name in training, else a dict of
        boxes, labels, scores and masks for each image.
    """
    body = backbone_of(architecture, seed=seed)
    return seeded(
        lambda: _detector(body, classes=classes, side=side, pyramid=pyramid, masks=masks),
        seed=seed,
    )


def _detector(
    body: Backbone, *, classes: int, side: int, pyramid: Pyramid, masks: bool
) -> nn.Module:
    backbone = WithPyramid(body, pyramid.channels)
    strides = [body.strides[key] for key in backbone.levels[:-1]]
    strides.append(2 * strides[-1])
    width, hidden = pyramid.channels, pyramid.hidden
    common: dict[str, Any] = {
        "min_size": side,
        "max_size": 2 * side,
        "image_mean": list(MEAN),
        "image_std": list(STD),
        "rpn_anchor_generator": _anchors(strides, pyramid.anchor),
        "rpn_head": _Proposals(width, len(_RATIOS)),
        "box_roi_pool": _pooled(backbone, 7),
        "box_head": TwoMLPHead(width * 7 * 7, hidden),
        "box_predictor": _Boxes(hidden, classes + 1),
        "box_batch_size_per_image": pyramid.sampled,
    }
    if pyramid.proposals is not None:
        for phase in ("train", "test"):
            common[f"rpn_pre_nms_top_n_{phase}"] = 2 * pyramid.proposals
            common[f"rpn_post_nms_top_n_{phase}"] = pyramid.proposals
    if not masks:
        return cast("nn.Module", FasterRCNN(backbone, **common))
    detector: nn.Module = MaskRCNN(
        backbone,
        **common,
        mask_roi_pool=_pooled(backbone, 14),
        mask_head=MaskRCNNHeads(width, (width,) * 4, 1),
        mask_predictor=_Masks(width, width, classes + 1),
    )
    return detector


def _pooled(backbone: WithPyramid, side: int) -> MultiScaleRoIAlign:
    levels = list(backbone.levels[:-1])
    return MultiScaleRoIAlign(levels, output_size=side, sampling_ratio=2)


def _anchors(strides: Sequence[int], side: float) -> AnchorGenerator:
    sizes = tuple((side * stride,) for stride in strides)
    return AnchorGenerator(sizes, (_RATIOS,) * len(strides))
