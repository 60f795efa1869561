"""Keypoints: SimpleBaseline in windows around boxes, scored by COCO's AP of OKS.

In an epoch each scene shows one object, drawn anew; all objects of a split are scored.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from res2net import Architecture
from search.scenes.detected import Detected
from search.scenes.scene import Part, Scene, SceneSplits
from search.schema.study_plan import StudyPlan
from search.tasks.base import Forward, SplitName
from search.tasks.heads import as_float, require_finite
from search.tasks.keypoints.duplicates import sureness, without_duplicates
from search.tasks.keypoints.heatmaps import drawn, peaks
from search.tasks.keypoints.network import SimpleBaseline
from search.tasks.keypoints.scoring import (
    Found,
    average_precision,
    labelled,
    results,
    sigmas_of,
    truth,
)
from search.tasks.keypoints.windows import Window, mirrored
from search.tasks.scenes import (
    MEAN,
    STD,
    Example,
    SceneBatch,
    SceneTask,
    as_image,
    load_scenes,
    normalised,
)

_PIXELS = 1 << 20  # pixels of the windows scored at once


def keypoints(
    plan: StudyPlan,
    *,
    root: str,
    device: torch.device,
    images: SceneSplits | None = None,
    **options: Any,
) -> "Keypoints":
    """Make the task of finding the points of objects in the scenes of a study."""
    return Keypoints(plan, images or load_scenes(plan, root), device=device, options=options)


class _Cut(NamedTuple):
    """An object as the network sees it."""

    scene: int  # number of its scene
    window: Window
    image: Tensor  # (3, *shape), normalised
    score: float | None  # of a detected box; None for a true one


class Keypoints(SceneTask):
    """Scenes whose objects have points; a `search.tasks.base.Task`.

    Args:
        plan: plan of the study.
        splits: its scenes.
        device: where everything runs.
        options: keys of `search.schema.dense_tasks.Keypoints`.
    """

    def __init__(
        self,
        plan: StudyPlan,
        splits: SceneSplits,
        *,
        device: torch.device,
        options: dict[str, Any],
    ) -> None:
        super().__init__(plan, splits, augment=self._example, device=device)
        training = plan.training
        self._flip = training.flip
        self._shape: tuple[int, int] = tuple(options["window"])
        self._channels, self._sigma = options["channels"], options["sigma"]
        self._flip_test = options["flip_test"]
        self._scaling, self._turning = options["scaling"], math.radians(options["turning"])

    def network(self, architecture: Architecture, *, seed: int) -> nn.Module:
        """SimpleBaseline on the network without its classifier."""
        joints = len(self.splits.joints)
        network = SimpleBaseline(
            architecture, joints=joints, channels=self._channels, seed=seed
        )
        return network.to(self._device)

    def loss(self, forward: Forward, piece: SceneBatch) -> Tensor:
        """Mean squared error of the heatmaps of points that are in the window."""
        images = torch.stack([example.image for example in piece.examples])
        images = images.to(self._dtype).to(memory_format=torch.channels_last)
        heatmaps = as_float(forward(images))
        wanted, weights = self._wanted(piece, heatmaps)
        errors = (heatmaps - wanted).square().mean((2, 3))
        return (errors * weights).mean()

    def scores(self, forward: Forward, split: SplitName) -> dict[str, float | None]:
        """COCO's AP of OKS in percent, over all sizes and for each; None where no object is.

        The test is scored with a detector's boxes where the data have them.
        """
        part, scale = self.splits.part(split), self.splits.scale
        detected = self.splits.detected if split == "test" else ()
        groups = self._cuts(part, detected)
        found = [one for group in groups for one in self._found(forward, group)]
        sigmas = sigmas_of(self.splits.joints)
        if detected:
            found = without_duplicates(found, sigmas)
        wanted = truth(part, self.splits.joints, scale)
        return average_precision(wanted, results(found, scale), sigmas)

    def seen(self, forward: Forward, part: Part) -> Iterator[Scene]:
        """Each scene with the points that the network predicts for its objects."""
        found = [one for group in self._cuts(part) for one in self._found(forward, group)]
        for row in range(len(part)):
            points = [one.points for one in found if one.scene == row]
            count = len(self.splits.joints)
            there = np.array(points, np.float32).reshape(-1, count, 2)
            shown = np.concatenate([there, np.full((*there.shape[:2], 1), 2, np.float32)], 2)
            yield Scene(name=part[row].name, image=part[row].image, keypoints=shown)

    def facts(self) -> dict[str, Any]:
        """Names of the points, mean and std of the pixels in 0 to 1, and the window's shape."""
        return {
            "task": "keypoints",
            "joints": list(self.splits.joints),
            "mean": list(MEAN),
            "std": list(STD),
            "window": list(self._shape),
        }

    def _example(self, scene: Scene) -> Example:
        """A window around one object, moved at random; every scene makes the same draws."""
        pick, scaling, turning, flip = torch.rand(4).tolist()
        objects = labelled(scene)
        image = as_image(scene)
        if not objects:  # nothing is learned from it
            nothing = torch.zeros(len(self.splits.joints), 3)
            box: Any = (0, 0, image.shape[2], image.shape[1])
            return self._cut_out(image, Window.around(box, self._shape), nothing)
        chosen = objects[int(pick * len(objects))]
        assert scene.boxes is not None, "the data set was checked"
        assert scene.keypoints is not None, "the data set was checked"
        box, points = scene.boxes[chosen], torch.from_numpy(scene.keypoints[chosen])
        if self._flip and flip < 0.5:
            image, box, points = mirrored(image, box, points, self.splits.mirrored)
        window = Window.around(box, self._shape).moved(
            factor=1 + self._scaling * (2 * scaling - 1),
            turned=self._turning * (2 * turning - 1),
        )
        return self._cut_out(image, window, points)

    def _cut_out(self, image: Tensor, window: Window, points: Tensor) -> Example:
        high, wide = self._shape
        there = window.from_image(points[:, :2], self._shape)
        inside = (there >= 0).all(1) & (there[:, 0] < wide) & (there[:, 1] < high)
        known = (points[:, 2] > 0) & inside
        return Example(
            window.cut(normalised(image), self._shape), {"points": there, "known": known}
        )

    def _wanted(self, piece: SceneBatch, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """The target heatmaps (N, K, h, w), and which of them count (N, K)."""
        shape = (heatmaps.shape[2], heatmaps.shape[3])
        points, known = (
            torch.stack([example.target[key] for example in piece.examples])
            for key in ("points", "known")
        )
        # Of numbers, as a GPU would have to wait for a tensor of factors.
        x = points[..., 0] * (shape[1] / self._shape[1])
        y = points[..., 1] * (shape[0] / self._shape[0])
        maps = drawn(torch.stack([x, y], dim=-1), shape=shape, sigma=self._sigma)
        return maps.to(heatmaps), known.to(heatmaps)

    def _cuts(self, part: Part, detected: Sequence[Detected] = ()) -> Iterator[list[_Cut]]:
        """Every object of a part, or every detected box, in groups of a fixed number."""
        size, group = max(1, _PIXELS // math.prod(self._shape)), []
        for row in range(len(part)):
            scene = part[row]
            image = normalised(as_image(scene))
            for box, score in _boxes(scene, detected[row] if detected else None):
                window = Window.around(box, self._shape)
                group.append(_Cut(row, window, window.cut(image, self._shape), score))
                if len(group) == size:
                    yield group
                    group = []
        if group:
            yield group

    def _found(self, forward: Forward, group: list[_Cut]) -> Iterator[Found]:
        images = torch.stack([cut.image for cut in group]).to(self._device, self._dtype)
        heatmaps = self._heatmaps(forward, images)
        points, heights = peaks(heatmaps)
        stride = torch.tensor(
            [self._shape[1] / heatmaps.shape[3], self._shape[0] / heatmaps.shape[2]]
        )
        for cut, at, height in zip(group, points * stride, heights, strict=True):
            there, window = cut.window.to_image(at.double(), self._shape), cut.window
            sure = float(height.mean())
            if cut.score is not None:
                sure = sureness(height, cut.score)
            yield Found(cut.scene, there.numpy(), sure, window.high * window.wide)

    def _heatmaps(self, forward: Forward, images: Tensor) -> Tensor:
        """Heatmaps of images (N, 3, H, W), averaged with their mirror images' if so planned.

        SimpleBaseline's code shifts the latter by a pixel, because it counts pixels from their
        middles; here (0.5, 0.5) is the middle of one, and mirroring needs no shift.
        """
        heatmaps = as_float(forward(images.to(memory_format=torch.channels_last)))
        if self._flip_test:
            turned = images.flip(3).to(memory_format=torch.channels_last)
            back = as_float(forward(turned)).flip(3)
            heatmaps = (heatmaps + back[:, list(self.splits.mirrored)]) / 2
        require_finite(heatmaps)
        return heatmaps.cpu()


def _boxes(scene: Scene, detected: Detected | None) -> Iterator[tuple[Any, float | None]]:
    """The true boxes of a scene, or those of a detector with their scores."""
    if detected is not None:
        yield from zip(detected.boxes, detected.scores.tolist(), strict=True)
        return
    assert scene.boxes is not None, "the data set was checked"
    for chosen in labelled(scene):
        yield scene.boxes[chosen], None
