"""A scene is an image with what is known of it; a set of scenes is read one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from search.scenes.detected import Detected

Annotation = Literal["boxes", "masks", "semantic", "saliency", "keypoints"]
IGNORED = 255  # of `Scene.semantic`: pixels that count neither in the loss nor in the score

_Bytes = npt.NDArray[np.uint8]
_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """An image and its annotations; of a kind that its set does not have, None.

    Attributes:
        name: of the image in its set, such as a file's; for messages and pictures.
        image: (H, W, 3).
        boxes: (N, 4) of its objects, x and y of two corners in pixels, the second beyond the
            object: 0 <= x0 < x1 <= W.
        labels: (N,) int64, the class of each object, from 0.
        crowd: (N,) bool, objects that are many in one: neither trained on nor held against a
            prediction.
        areas: (N,) of each object in pixels, as its set has it: by which sizes are told.
        masks: (N, H, W) bool, the pixels of each object.
        semantic: (H, W), the class of each pixel from 0, `IGNORED` where none counts.
        saliency: (H, W), 0 to 255.
        keypoints: (N, K, 3), x and y in pixels and whether it is there: 0 not labelled, 1
            hidden, 2 seen.
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
    """Scenes that are read, or made, when they are asked for.

    Attributes:
        classes: names of the classes of objects or pixels, in the order of their numbers.
        joints: names of the keypoints, empty where there are none.
        mirrored: of each keypoint the one that it is in a mirrored image.
    """

    classes: tuple[str, ...]
    joints: tuple[str, ...]
    mirrored: tuple[int, ...]

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, index: int) -> Scene:
        """The scene of a number; the same each time."""


@runtime_checkable
class Outlined(Protocol):
    """Scenes that can say what is in them without reading pixels."""

    def outline(self, index: int) -> Scene:
        """As `Part.outline`."""


@runtime_checkable
class Checked(Protocol):
    """Scenes of files, which may be damaged."""

    def check(self, index: int) -> None:
        """As `Part.check`."""


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
        """A scene of which only boxes, points and the size are wanted.

        Of scenes from files no pixel is read for it: its image may be black, its masks None.
        """
        if isinstance(self.scenes, Outlined):
            return self.scenes.outline(self.rows[index])
        return self[index]

    def check(self, index: int) -> None:
        """See that a scene can be read, where that is a question.

        Raises:
            ConfigError: it cannot.
        """
        if isinstance(self.scenes, Checked):
            self.scenes.check(self.rows[index])


@dataclass(frozen=True, slots=True)
class SceneSplits:
    """The scenes of a study, and what is the same in all of them.

    Attributes:
        train, validation, test: the parts; no image is in two.
        classes, joints, mirrored: as `Scenes` has them.
        scale: by which sizes in pixels are multiplied before they are told small or large: 1 of
            photographs.
        detected: of each scene of the test what a detector found; empty where nobody asked.
        notes: what was left out or set right while they were read, in lines for the user.
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
        """The scenes that a score is of."""
        return self.validation if name == "validation" else self.test
