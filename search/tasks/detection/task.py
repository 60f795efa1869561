"""Detection as a task of a study: boxes, or boxes and masks, of every object in a scene."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torchvision import tv_tensors
from torchvision.transforms import v2

from res2net import Architecture
from search.scenes.scene import Part, Scene, SceneSplits
from search.schema.study_plan import StudyPlan
from search.schema.yaml import ConfigError
from search.tasks.base import Forward, SplitName
from search.tasks.detection.models import Pyramid, WithPyramid, make_detector
from search.tasks.detection.scoring import average_precision
from search.tasks.frozen import freeze
from search.tasks.scenes import MEAN, STD, Example, SceneBatch, SceneTask, as_image, load_scenes

_SURE = 0.5  # lowest score of objects shown in a picture
_THRESHOLD = 0.5  # lowest mask probability at which a pixel belongs to the object


def detection(
    plan: StudyPlan,
    *,
    root: str,
    device: torch.device,
    images: SceneSplits | None = None,
    masks: bool = False,
    **options: Any,
) -> "Detection":
    """Make the task of finding boxes of the objects in the scenes of a study."""
    splits = images or load_scenes(plan, root)
    return Detection(plan, splits, device=device, masks=masks, **options)


def instances(plan: StudyPlan, **given: Any) -> "Detection":
    """Make the task of finding boxes and masks of objects; arguments as for `detection`."""
    return detection(plan, masks=True, **given)


class Detection(SceneTask):
    """Scenes whose objects are to be found.

    Args:
        plan: plan of the study.
        splits: its scenes.
        device: where everything runs.
        masks: whether to predict the pixels of each object as well.
        pyramid: fields of `search.tasks.detection.models.Pyramid`, by keyword.
        frozen, norms: as for `search.tasks.frozen.freeze`.
    """

    def __init__(
        self,
        plan: StudyPlan,
        splits: SceneSplits,
        *,
        device: torch.device,
        masks: bool,
        frozen: int = 0,
        norms: str = "trained",
        **pyramid: Any,
    ) -> None:
        self.one_size = False
        self._masks = masks
        self._pyramid, self._side = Pyramid(**pyramid), plan.data.resolution
        self._frozen, self._norms = frozen, norms
        # Nothing can be learned from a scene without objects: it is scored, but not trained on.
        part = splits.train
        useful = [row for row in range(len(part)) if _objects(part.outline(row))]
        if not useful:
            raise ConfigError(
                f"none of the {len(part):,} scenes to train on has an object that is not a "
                "crowd, so there is nothing to learn; give more images"
            )
        training = Part(part.scenes, [part.rows[row] for row in useful])
        super().__init__(
            plan, splits, augment=self._augmented, device=device, training=training
        )
        self._flips = plan.training.flip

    def network(self, architecture: Architecture, *, seed: int) -> nn.Module:
        """The detector, on the device."""
        detector = make_detector(
            architecture,
            classes=len(self.splits.classes),
            side=self._side,
            pyramid=self._pyramid,
            masks=self._masks,
            seed=seed,
        )
        pyramid = detector.backbone
        assert isinstance(pyramid, WithPyramid), "made so"
        freeze(pyramid.body, stages=self._frozen, norms=self._norms)
        return detector.to(self._device)

    def loss(self, forward: Forward, piece: SceneBatch) -> dict[str, Tensor]:
        """Torchvision's losses of regions and of boxes, by name."""
        images = [example.image.to(self._dtype) for example in piece.examples]
        targets = [example.target for example in piece.examples]
        devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(piece.seed)  # it samples anchors and boxes
            losses = forward(images, targets)
        return {name.removeprefix("loss_"): loss for name, loss in losses.items()}

    def scores(self, forward: Forward, split: SplitName) -> dict[str, float | None]:
        """AP and AR in percent, overall and by size.

        Raises:
            DivergedError: the network's outputs are not finite.
        """
        part = self.splits.part(split)
        pairs = (self._judged(forward, part[row]) for row in range(len(part)))
        return average_precision(pairs, masks=self._masks, scale=self.splits.scale)

    def seen(self, forward: Forward, part: Part) -> Iterator[Scene]:
        """Each scene with the objects that the network finds more likely than not."""
        for row in range(len(part)):
            scene = part[row]
            found = self._found(forward, scene)
            sure = found["scores"].cpu() >= _SURE
            kept = {key: value.cpu()[sure] for key, value in found.items()}
            yield Scene(
                name=scene.name,
                image=scene.image,
                boxes=kept["boxes"].float().numpy(),
                labels=kept["labels"].numpy() - 1,
                masks=kept["masks"].numpy() if self._masks else None,
            )

    def facts(self) -> dict[str, Any]:
        """Classes, and the mean and std by which images are normalised."""
        return {
            "task": "instances" if self._masks else "detection",
            "classes": list(self.splits.classes),
            "mean": list(MEAN),
            "std": list(STD),
            "resolution": self._side,
        }

    def _augmented(self, scene: Scene) -> Example:
        image, target = as_image(scene), self._target(scene)
        if self._flips and torch.rand(()) < 0.5:
            image, target = v2.functional.horizontal_flip(image), _mirrored(target)
        kept = {key: target[key] for key in ("boxes", "labels", "masks") if key in target}
        held = ~target["iscrowd"]
        return Example(image, {key: torch.as_tensor(one)[held] for key, one in kept.items()})

    def _target(self, scene: Scene) -> dict[str, Any]:
        """The true objects of a scene; classes count from 1, as 0 is the background."""
        assert scene.boxes is not None, "the data set has them"
        assert scene.labels is not None, "of each box"
        size = (len(scene.image), len(scene.image[0]))
        count = len(scene.labels)
        crowd = torch.zeros(count, dtype=torch.bool)
        if scene.crowd is not None:
            crowd = torch.from_numpy(scene.crowd)
        boxes = torch.from_numpy(scene.boxes)
        target: dict[str, Any] = {
            "boxes": tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=size),
            "labels": torch.from_numpy(scene.labels) + 1,
            "iscrowd": crowd,
            "area": _areas(scene, boxes),
        }
        if self._masks:
            assert scene.masks is not None, "the data set has them"
            target["masks"] = tv_tensors.Mask(torch.from_numpy(scene.masks).to(torch.uint8))
        return target

    def _judged(
        self, forward: Forward, scene: Scene
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The prediction for a scene, and the truth."""
        true = {key: torch.as_tensor(one) for key, one in self._target(scene).items()}
        return self._found(forward, scene), true

    def _found(self, forward: Forward, scene: Scene) -> dict[str, Tensor]:
        found: dict[str, Tensor]
        (found,) = forward([as_image(scene).to(self._device, self._dtype)])
        if self._masks:
            found = {**found, "masks": found["masks"][:, 0] >= _THRESHOLD}
        return found


def _objects(scene: Scene) -> int:
    """Number of objects that can be trained on."""
    if scene.labels is None:
        return 0
    crowd = 0 if scene.crowd is None else int(scene.crowd.sum())
    return len(scene.labels) - crowd


def _areas(scene: Scene, boxes: Tensor) -> Tensor:
    if scene.areas is not None:
        return torch.from_numpy(scene.areas)
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _mirrored(target: dict[str, Any]) -> dict[str, Any]:
    flips = (tv_tensors.BoundingBoxes, tv_tensors.Mask)
    return {
        key: v2.functional.horizontal_flip(one) if isinstance(one, flips) else one
        for key, one in target.items()
    }
