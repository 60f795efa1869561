"""Photographs with objects in them: annotations in arrays, pixels read on demand."""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from search.scenes.findings import Findings
from search.scenes.pictures import Size, decode, picture
from search.scenes.scene import Scene

_Floats = npt.NDArray[np.float32]
_NARROWEST = 1e-3  # pixels of a box
Box = tuple[float, float, float, float]  # x and y of two corners, in pixels
# (H, W) of each object: from the first one's number, their count, and the image's size.
Masks = Callable[[int, int, Size], npt.NDArray[np.bool_]]


class Photograph(NamedTuple):
    """A file, and the size of its image."""

    path: Path
    size: Size


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects of all images, one after the other.

    Attributes:
        starts: (N + 1,), for each image the number of its first object.
        boxes, labels, crowd, areas: of each object, as in `search.scenes.scene.Scene`.
        keypoints: (M, K, 3), None where there are none.
        masks: draws the masks of some objects; None where there are none.
    """

    starts: npt.NDArray[np.int64]
    boxes: _Floats
    labels: npt.NDArray[np.int16]
    crowd: npt.NDArray[np.bool_]
    areas: _Floats
    keypoints: _Floats | None = None
    masks: Masks | None = None


class Photographs:
    """Scenes of photographs.

    Args:
        photographs: the files.
        objects: all objects in them.
        classes, joints, mirrored: as in `search.scenes.scene.Scenes`.
    """

    def __init__(
        self,
        photographs: Sequence[Photograph],
        objects: Objects,
        *,
        classes: tuple[str, ...],
        joints: tuple[str, ...] = (),
        mirrored: tuple[int, ...] = (),
    ) -> None:
        self._photographs, self._objects = photographs, objects
        self.classes, self.joints, self.mirrored = classes, joints, mirrored

    def __len__(self) -> int:
        return len(self._photographs)

    def __getitem__(self, index: int) -> Scene:
        """The scene with a number.

        Raises:
            FileError: its image cannot be decoded.
        """
        return self._scene(index, picture(self._photographs[index].path), masks=True)

    def outline(self, index: int) -> Scene:
        """As in `search.scenes.scene.Part.outline`."""
        black = np.broadcast_to(np.uint8(0), (*self._photographs[index].size, 3))
        return self._scene(index, black, masks=False)

    def check(self, index: int) -> None:
        """Check that an image can be decoded, and has the recorded size.

        Raises:
            FileError: it cannot, or has another size.
        """
        photograph = self._photographs[index]
        decode(photograph.path, size=photograph.size)

    def _scene(self, index: int, image: npt.NDArray[np.uint8], *, masks: bool) -> Scene:
        one, photograph = self._objects, self._photographs[index]
        first, last = one.starts[index : index + 2].tolist()
        span = slice(first, last)
        drawn = None
        if masks and one.masks is not None:
            drawn = one.masks(first, last - first, photograph.size)
        return Scene(
            name=photograph.path.name,
            image=image,
            boxes=one.boxes[span],
            labels=one.labels[span].astype(np.int64),
            crowd=one.crowd[span],
            areas=one.areas[span],
            masks=drawn,
            keypoints=None if one.keypoints is None else one.keypoints[span],
        )


class ObjectList:
    """Takes the objects of one image after the other, and makes `Objects` of them.

    Args:
        found: records boxes that are cut or left out.
    """

    def __init__(self, found: Findings) -> None:
        self._found = found
        self._starts = array("q", [0])
        self._boxes, self._areas = array("f"), array("f")
        self._labels, self._crowd = array("h"), array("b")

    def __len__(self) -> int:
        return len(self._labels)

    def close(self) -> None:
        """Finish an image: objects added from now on belong to the next one."""
        self._starts.append(len(self))

    def add(
        self, box: Box, *, label: int, crowd: bool, area: float | None, size: Size, where: str
    ) -> bool:
        """Add an object of the image; return whether its box is valid.

        Args:
            box: is clipped where it exceeds the image.
            label: its class.
            crowd: whether it stands for many objects.
            area: area in pixels; None takes the box's own.
            size: size of the image.
            where: the object's place, for messages.
        """
        x0, y0, x1, y1 = box
        inside = (max(x0, 0.0), max(y0, 0.0), min(x1, float(size[1])), min(y1, float(size[0])))
        wide, high = inside[2] - inside[0], inside[3] - inside[1]
        # As float32, and after a flip, a narrower one may have no area. Also true for NaN.
        if not (wide > _NARROWEST and high > _NARROWEST):
            self._found.note("boxes of no area inside their image, left out", where)
            return False
        # Some exceed the image by rounding, which is not worth reporting.
        if max(abs(a - b) for a, b in zip(box, inside, strict=True)) > 1e-3:
            self._found.note("boxes beyond their image, cut at its edge", where)
        self._boxes.extend(inside)
        self._labels.append(label)
        self._crowd.append(crowd)
        self._areas.append(wide * high if area is None else area)
        return True

    def made(self, *, keypoints: _Floats | None = None, masks: Masks | None = None) -> Objects:
        """All objects, of the images that were closed."""
        return Objects(
            starts=np.asarray(self._starts, np.int64),
            boxes=np.asarray(self._boxes, np.float32).reshape(-1, 4),
            labels=np.asarray(self._labels, np.int16),
            crowd=np.asarray(self._crowd, np.int8).astype(bool),
            areas=np.asarray(self._areas, np.float32),
            keypoints=keypoints,
            masks=masks,
        )
