"""Saliency: which pixels stand out, by a U-shaped decoder with a loss at every level.

The network is our own, from the equations of two papers. Top-down: the coarsest feature is
enlarged and added to the next finer one, level by level (the U-shape of PoolNet, Liu et al.,
arXiv:1904.09569, section 3, without its pooling modules). Deep supervision: each level has a
side output with its own loss, and so has the weighted sum of all of them, which is the result:
L = sum_m l_side(m) + l_fuse (DSS, Hou et al., arXiv:1611.04849, section 3), where each l is
binary cross-entropy. The scores are those of pysodmetrics.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from res2net import Architecture
from search.scenes.scene import Part, Scene, SceneSplits
from search.schema.study_plan import StudyPlan
from search.tasks.base import Forward, SplitName
from search.tasks.heads import as_float, backbone_of, one_a_stride, require_finite, seeded
from search.tasks.libraries import library
from search.tasks.scenes import MEAN, STD, Example, SceneBatch, SceneTask, load_scenes
from search.tasks.squares import Crops, squares, stacked, unfitted

_BETA = 0.3  # beta squared, as usual in the field (Achanta et al., CVPR 2009)


def saliency(
    plan: StudyPlan,
    *,
    root: str,
    device: torch.device,
    images: SceneSplits | None = None,
    **options: Any,
) -> "Saliency":
    """Make the task of finding what stands out in the scenes of a study."""
    return Saliency(plan, images or load_scenes(plan, root), device=device, **options)


class Decoder(nn.Module):
    """Maps features, finest first, to side outputs and their weighted sum.

    Args:
        widths: channels of each feature.
        channels: channels of each level.
    """

    def __init__(self, widths: list[int], channels: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(_layer(width, channels, kernel=1) for width in widths)
        self.fuse = nn.ModuleList(_layer(channels, channels, kernel=3) for _ in widths)
        self.side = nn.ModuleList(nn.Conv2d(channels, 1, 1) for _ in widths)
        self.sum = nn.Conv2d(len(widths), 1, 1)
        nn.init.constant_(self.sum.weight, 1 / len(widths))

    def forward(self, features: list[Tensor], size: tuple[int, int]) -> Tensor:
        """Features (N, C, h, w) to logits (N, levels + 1, *size): the last is the result."""
        sides: list[Tensor] = []
        above: Tensor | None = None
        levels = list(zip(features, self.lateral, self.fuse, self.side, strict=True))
        for feature, lateral, fuse, side in reversed(levels):
            level = lateral(feature)
            if above is not None:
                level = level + _enlarged(above, level.shape[-2:])
            above = fuse(level)
            sides.append(_enlarged(side(above), size))
        outputs = torch.cat(sides, dim=1)
        return torch.cat([outputs, self.sum(outputs)], dim=1)


class SaliencyNetwork(nn.Module):
    """A backbone, and the decoder on one feature of each of its strides.

    Args:
        architecture: architecture of the backbone.
        channels: channels of the decoder.
        seed: seed of all weights.
    """

    def __init__(self, architecture: Architecture, *, channels: int, seed: int) -> None:
        super().__init__()
        self.backbone = backbone_of(architecture, seed=seed)
        self._keys = one_a_stride(self.backbone.strides)
        widths = [self.backbone.channels[key] for key in self._keys]
        self.decoder = seeded(lambda: Decoder(widths, channels), seed=seed)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) to logits (N, levels + 1, H, W): coarsest first, the result last."""
        features = self.backbone(images)
        found: Tensor = self.decoder([features[key] for key in self._keys], images.shape[-2:])
        return found


class Saliency(SceneTask):
    """Scenes with maps of what stands out; a `search.tasks.base.Task`.

    Args:
        plan: plan of the study.
        splits: its scenes.
        device: where everything runs.
        channels: channels of the decoder.
        scales: range of the random factor of size.
    """

    def __init__(
        self,
        plan: StudyPlan,
        splits: SceneSplits,
        *,
        device: torch.device,
        channels: int,
        scales: tuple[float, float],
    ) -> None:
        super().__init__(plan, splits, augment=self._example, device=device)
        training = plan.training
        self._channels, self._side = channels, plan.data.resolution
        self._crops = Crops(side=self._side, scales=scales, flip=training.flip, fill=0)

    def network(self, architecture: Architecture, *, seed: int) -> nn.Module:
        """The decoder on the network without its classifier."""
        return SaliencyNetwork(architecture, channels=self._channels, seed=seed).to(
            self._device
        )

    def loss(self, forward: Forward, piece: SceneBatch) -> dict[str, Tensor]:
        """Mean binary cross-entropy of each side output, `side_1` the coarsest, and `fused`."""
        images, maps = stacked(piece, self._dtype)
        logits = as_float(forward(images))
        wanted = (maps.to(logits.dtype) / 255)[:, None].expand_as(logits)
        losses = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
        each = losses.mean((0, 2, 3)).unbind()
        sides = {f"side_{number}": loss for number, loss in enumerate(each[:-1], 1)}
        return {**sides, "fused": each[-1]}

    def scores(self, forward: Forward, split: SplitName) -> dict[str, float]:
        """Largest F-measure and mean absolute error, at each image's own size."""
        scorer, part = Scorer(), self.splits.part(split)
        for row, seen in enumerate(self.seen(forward, part)):
            truth = part[row].saliency
            assert seen.saliency is not None, "just said"
            assert truth is not None, "the data set was checked"
            scorer.add(seen.saliency, truth)
        return scorer.scores()

    def seen(self, forward: Forward, part: Part) -> Iterator[Scene]:
        """Each scene with the network's map of what stands out in it."""
        for group in squares(part, self._side):
            images = torch.stack([one.image for one in group]).to(self._device, self._dtype)
            logits = forward(images.to(memory_format=torch.channels_last))[:, -1:]
            require_finite(logits)
            for of_square, square in zip(logits, group, strict=True):
                found = unfitted(as_float(of_square), square).sigmoid()[0]
                grey = (255 * found).round().to(torch.uint8).cpu().numpy()
                yield Scene(name=square.scene.name, image=square.scene.image, saliency=grey)

    def facts(self) -> dict[str, Any]:
        """Mean and std of the pixels in 0 to 1, and the side of a square."""
        return {
            "task": "saliency",
            "mean": list(MEAN),
            "std": list(STD),
            "resolution": self._side,
        }

    def _example(self, scene: Scene) -> Example:
        return self._crops.example(scene, scene.saliency)


class Scorer:
    """Scores predicted maps of 0 to 255 against those of the data set, by pysodmetrics.

    As by default in that library, and in published tables, each map is first stretched to the
    full range, and in the data set's maps values above 128 stand out.
    """

    def __init__(self) -> None:
        metrics = library("py_sod_metrics")
        curve = metrics.FmeasureHandler(with_adaptive=False, with_dynamic=True, beta=_BETA)
        self._f, self._mae = metrics.FmeasureV2({"f": curve}), metrics.MAE()

    def add(self, found: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any]) -> None:
        """Add an image: two maps (H, W) of uint8."""
        self._f.step(found, wanted)
        self._mae.step(found, wanted)

    def scores(self) -> dict[str, float]:
        """The largest F of the mean curve over all images, and the MAE."""
        curve = self._f.get_results()["f"]["dynamic"]
        return {"max_f": float(curve.max()), "mae": float(self._mae.get_results()["mae"])}


def _layer(inputs: int, outputs: int, *, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _enlarged(maps: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(maps, size, mode="bilinear", align_corners=False)
