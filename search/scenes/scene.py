"""A scene is an image with its annotations; a set of scenes is read one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from search.scenes.detected import Detected

Annotation = Literal["boxes", "masks", "semantic", "saliency", "keypoints"]
IGNORED = 255  # in `Scene.semantic`: pixels that count neither in the loss nor in the score

_Bytes = npt.NDArray[np.uint8]
_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """An image and its annotations; None for kinds that its set does not have.

    Attributes:
        name: name of the image in its set, such as a file's; for messages and pictures.
        image: (H, W, 3).
        boxes: (N, 4) of its objects, x and y of two corners in pixels, the second beyond the
            object: 0 <= x0 < x1 <= W.
        labels: (N,) int64, the class of each object, from 0.
        crowd: (N,) bool, objects that stand for many: not trained on, and predictions of them
            do not count as false.
        areas: (N,) of each object in pixels, as its set gives it: it decides the size class.
        masks: (N, H, W) bool, the pixels of each object.
        semantic: (H, W), the class of each pixel from 0, `IGNORED` where none counts.
        saliency: (H, W), 0 to 255.
        keypoints: (N, K, 3), x and y in pixels and visibility: 0 not labelled, 1 hidden, 2
            visible.
    """

    name: str
    image: _Bytes
    boxes: _Floats | None = None
    labels: npt.NDArray[np.int64] | None = None
    crowd: npt.NDArray[np.bool_] | None = None
    areas: _Floats | None = None
    masks: npt.NDArray[np.bool_] | None = None
    semantic: _Bytes | None = None
    saliency: _Bytes | None = None
    keypoints: _Floats | None = None


class Scenes(Protocol):
    """Scenes that are read, or made, on demand.

    Attributes:
        classes: names of the classes of objects or pixels, in the order of their numbers.
        joints: names of the keypoints, empty where there are none.
        mirrored: the keypoint that each one becomes in a mirrored image.
    """

    classes: tuple[str, ...]
    joints: tuple[str, ...]
    mirrored: tuple[int, ...]

    def __len__(self) -> int:
        """Number of scenes."""

    def __getitem__(self, index: int) -> Scene:
        """The scene with a number; the same each time."""


@runtime_checkable
class Outlined(Protocol):
    """Scenes whose contents are known without reading pixels."""

    def outline(self, index: int) -> Scene:
        """As in `Part.outline`."""


@runtime_checkable
class Checked(Protocol):
    """Scenes in files, which may be damaged."""

    def check(self, index: int) -> None:
        """As in `Part.check`."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some scenes of a set, such as those to validate on."""

    scenes: Scenes
    rows: Sequence[int]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Scene:
        return self.scenes[self.rows[index]]

    def outline(self, index: int) -> Scene:
        """A scene of which only boxes, points and the size are needed.

        For scenes from files no pixels are read: its image may be black, its masks None.
        """
        if isinstance(self.scenes, Outlined):
            return self.scenes.outline(self.rows[index])
        return self[index]

    def check(self, index: int) -> None:
        """Check that a scene can be read, if it is in files.

        Raises:
            ConfigError: it cannot.
        """
        if isinstance(self.scenes, Checked):
            self.scenes.check(self.rows[index])


@dataclass(frozen=True, slots=True)
class SceneSplits:
    """The scenes of a study, and what they have in common.

    Attributes:
        train, validation, test: the parts; no image is in two of them.
        classes, joints, mirrored: as in `Scenes`.
        scale: factor for sizes in pixels before they are classed as small or large: 1 for
            photographs.
        detected: a detector's boxes for each scene of the test; empty if there are none.
        notes: what was left out or corrected while they were read, in lines for the user.
    """

    train: Part
    validation: Part
    test: Part
    classes: tuple[str, ...]
    joints: tuple[str, ...] = ()
    mirrored: tuple[int, ...] = ()
    scale: float = 1.0
    detected: tuple[Detected, ...] = ()
    notes: tuple[str, ...] = ()

    def part(self, name: Literal["validation", "test"]) -> Part:
        """The scenes that are scored."""
        return self.validation if name == "validation" else self.test
