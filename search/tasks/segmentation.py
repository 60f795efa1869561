"""Segmentation: the class of each pixel, by DeepLabv3+ on our features; scored by mean IoU.

The decoder is that of segmentation_models_pytorch (Chen et al., arXiv:1802.02611). The classes
are the background, 0, and then those of the data set; pixels with `IGNORED` are not counted.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from res2net import Architecture
from search.scenes.scene import IGNORED, Part, Scene, SceneSplits
from search.schema.seeds import seed_of
from search.schema.study_plan import StudyPlan
from search.tasks.base import Forward, SplitName
from search.tasks.heads import as_float, backbone_of, require_finite, seeded
from search.tasks.libraries import library
from search.tasks.scenes import MEAN, STD, Example, SceneBatch, SceneTask, load_scenes
from search.tasks.squares import Crops, squares, stacked, unfitted

_RATES = (6, 12, 18)  # of the dilated convolutions at an output stride of 16
_STRIDE = 16


def segmentation(
    plan: StudyPlan,
    *,
    root: str,
    device: torch.device,
    images: SceneSplits | None = None,
    **options: Any,
) -> "Segmentation":
    """Make the task of classifying the pixels of the scenes of a study."""
    return Segmentation(plan, images or load_scenes(plan, root), device=device, **options)


class Segmenter(nn.Module):
    """A backbone, the decoder of DeepLabv3+, and a 1x1 convolution to classes.

    Args:
        architecture: architecture of the backbone.
        classes: number of classes of pixels, including the background.
        channels: channels of the decoder.
        output_stride: output stride of the backbone's last stage.
        seed: seed of all weights.
    """

    def __init__(
        self,
        architecture: Architecture,
        *,
        classes: int,
        channels: int,
        output_stride: int,
        seed: int,
    ) -> None:
        super().__init__()
        module = library("segmentation_models_pytorch.decoders.deeplabv3.decoder")
        self.backbone = backbone_of(architecture, seed=seed, output_stride=output_stride)
        widths = [*self.backbone.channels.values()]
        self.decoder = seeded(
            lambda: module.DeepLabV3PlusDecoder(
                encoder_channels=(0, 0, widths[0], 0, widths[-1]),
                encoder_depth=5,
                out_channels=channels,
                atrous_rates=tuple(rate * _STRIDE // output_stride for rate in _RATES),
                output_stride=output_stride,
                aspp_separable=True,
                aspp_dropout=0.0,  # its draws would not come from the trial's seed
            ),
            seed=seed,
        )
        own = seed_of(seed, "classifier")  # other draws than the decoder's
        self.classifier = seeded(lambda: nn.Conv2d(channels, classes, 1), seed=own)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) to logits (N, classes, H, W); both sides multiples of 16."""
        features = [*self.backbone(images).values()]
        decoded = self.decoder([None, None, features[0], None, features[-1]])
        return F.interpolate(  # with aligned corners, as inside the decoder
            self.classifier(decoded), images.shape[-2:], mode="bilinear", align_corners=True
        )


class Segmentation(SceneTask):
    """Scenes whose pixels are classified; a `search.tasks.base.Task`.

    Args:
        plan: plan of the study.
        splits: its scenes.
        device: where everything runs.
        output_stride: output stride of the backbone's last stage.
        channels: channels of the decoder.
        scales: range of the random factor of size.
    """

    def __init__(
        self,
        plan: StudyPlan,
        splits: SceneSplits,
        *,
        device: torch.device,
        output_stride: int,
        channels: int,
        scales: tuple[float, float],
    ) -> None:
        super().__init__(plan, splits, augment=self._example, device=device)
        training = plan.training
        self._smoothing = training.label_smoothing
        self._stride, self._channels = output_stride, channels
        self._side = plan.data.resolution
        self._names = ("background", *splits.classes)
        self._crops = Crops(side=self._side, scales=scales, flip=training.flip, fill=IGNORED)

    def network(self, architecture: Architecture, *, seed: int) -> nn.Module:
        """DeepLabv3+ on the network without its classifier."""
        return Segmenter(
            architecture,
            classes=len(self._names),
            channels=self._channels,
            output_stride=self._stride,
            seed=seed,
        ).to(self._device)

    def loss(self, forward: Forward, piece: SceneBatch) -> Tensor:
        """Mean cross-entropy of the pixels that count."""
        images, classes = stacked(piece, self._dtype)
        classes = classes.long()
        loss = F.cross_entropy(
            as_float(forward(images)),
            classes,
            ignore_index=IGNORED,
            label_smoothing=self._smoothing,
            reduction="sum",
        )
        return loss / (classes != IGNORED).sum().clamp_min(1)

    def scores(self, forward: Forward, split: SplitName) -> dict[str, float | None]:
        """Mean IoU over all pixels of a split in percent, at each image's own size.

        None where no pixel counts.
        """
        metric = library("torchmetrics.classification").MulticlassJaccardIndex(
            len(self._names), average="macro", ignore_index=IGNORED, validate_args=False
        )
        part, counts = self.splits.part(split), False
        for row, seen in enumerate(self.seen(forward, part)):
            truth = part[row].semantic
            assert seen.semantic is not None, "just said"
            assert truth is not None, "the data set was checked"
            metric.update(torch.from_numpy(seen.semantic), torch.from_numpy(truth).long())
            counts = counts or bool((truth != IGNORED).any())
        return {"miou": 100 * float(metric.compute()) if counts else None}

    def seen(self, forward: Forward, part: Part) -> Iterator[Scene]:
        """Each scene with the classes that the network predicts for its pixels."""
        for group in squares(part, self._side):
            images = torch.stack([one.image for one in group]).to(self._device, self._dtype)
            logits = forward(images.to(memory_format=torch.channels_last))
            require_finite(logits)
            for of_square, square in zip(logits, group, strict=True):
                found = unfitted(as_float(of_square), square).argmax(0)
                classes = found.to(torch.uint8).cpu().numpy()
                yield Scene(name=square.scene.name, image=square.scene.image, semantic=classes)

    def facts(self) -> dict[str, Any]:
        """Classes of pixels, mean and std of the pixels in 0 to 1, and the side of a square."""
        return {
            "task": "segmentation",
            "classes": list(self._names),
            "mean": list(MEAN),
            "std": list(STD),
            "resolution": self._side,
            "output_stride": self._stride,
        }

    def _example(self, scene: Scene) -> Example:
        return self._crops.example(scene, scene.semantic)
