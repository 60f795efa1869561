"""Scenes of noise, with every kind of annotation, on which networks are only timed."""

import numpy as np

from search.scenes.scene import Part, Scene, SceneSplits
from search.schema.data import PlannedData
from search.schema.datasets import DATASETS

_OBJECTS = 3
_MOST = 16  # different scenes at most, then they repeat: at 800 px each takes 5 MB


class RandomScenes:
    """Scenes of noise, all of one size.

    Args:
        data: gives the side, and the numbers of classes and of joints.
        count: number of scenes.

    Attributes:
        classes, joints, mirrored: as in `search.scenes.scene.Scenes`.
    """

    def __init__(self, data: PlannedData, count: int) -> None:
        self.classes = tuple(f"class {number}" for number in range(data.classes))
        joints = DATASETS[data.name].of(data.sets).joints
        self.joints = tuple(f"joint {number}" for number in range(joints))
        self.mirrored = tuple(range(joints))
        rng = np.random.default_rng(0)
        side = data.resolution
        self._scenes = [self._scene(rng, side) for _ in range(min(count, _MOST))]
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Scene:
        """The scene with a number."""
        return self._scenes[index % len(self._scenes)]

    def _scene(self, rng: np.random.Generator, side: int) -> Scene:
        corners = rng.integers(0, side // 2 + 1, (_OBJECTS, 2))
        ends = corners + rng.integers(side // 4 + 1, side // 2 + 1, (_OBJECTS, 2))
        masks = np.zeros((_OBJECTS, side, side), bool)
        for mask, (x0, y0), (x1, y1) in zip(masks, corners, ends, strict=True):
            mask[y0:y1, x0:x1] = True
        shape = (_OBJECTS, len(self.joints))
        inside = rng.random((*shape, 2)) * (ends - corners)[:, None]
        points = np.concatenate([corners[:, None] + inside, np.full((*shape, 1), 2)], axis=2)
        return Scene(
            name="noise",
            image=rng.integers(0, 256, (side, side, 3), dtype=np.uint8),
            boxes=np.concatenate([corners, ends], axis=1).astype(np.float32),
            labels=rng.integers(0, len(self.classes), _OBJECTS),
            crowd=np.zeros(_OBJECTS, bool),
            areas=masks.sum((1, 2)).astype(np.float32),
            masks=masks,
            semantic=rng.integers(0, len(self.classes) + 1, (side, side), dtype=np.uint8),
            saliency=np.where(masks.any(0), np.uint8(255), np.uint8(0)),
            keypoints=points.astype(np.float32),
        )


def random_scenes(data: PlannedData, *, train: int, held_out: int) -> SceneSplits:
    """Scenes of noise to train on, to validate on and to test on.

    Args:
        data: gives the side and the number of classes.
        train: number of scenes to train on.
        held_out: number of scenes to validate on, and to test.
    """

    def part(count: int) -> Part:
        return Part(RandomScenes(data, count), range(count))

    scenes = RandomScenes(data, 1)
    return SceneSplits(
        train=part(train),
        validation=part(held_out),
        test=part(held_out),
        classes=scenes.classes,
        joints=scenes.joints,
        mirrored=scenes.mirrored,
    )
