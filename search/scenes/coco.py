"""MS COCO 2017 in its official layout: boxes, masks, or people with joints.

Lin et al., ECCV 2014. `annotations`, `train2017` and `val2017` are below `data.root`.
"""

from array import array
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from res2net.file_names import path_of
from search.scenes.coco_json import CLASSES, JOINTS, CocoFile, CocoObject
from search.scenes.coco_shapes import Shapes
from search.scenes.detected import read_detected
from search.scenes.findings import Findings, LayoutError
from search.scenes.parting import parted
from search.scenes.photographs import ObjectList, Photograph, Photographs
from search.scenes.scene import SceneSplits
from search.schema.data import PlannedData
from search.schema.wording import how_many

# Names as in `search.tasks.keypoints.scoring`, which then uses COCO's own sigmas.
_JOINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip",
    "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
_MIRRORED = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)


def coco(data: PlannedData, root: Path) -> SceneSplits:
    """Scenes of COCO; val2017 is the test.

    Args:
        data: gives the set.
        root: the folder that holds `annotations`.

    Raises:
        LayoutError: files are missing, damaged or not as published.
    """
    assert data.sets, "the section was checked"
    found = Findings()
    train = _Reading(data.sets, found)
    test = _Reading(data.sets, found, every=data.boxes is not None)
    for part, reading in (("train2017", train), ("val2017", test)):
        file = CocoFile(root, part, joints=data.sets == "keypoints", found=found)
        for number, photograph, objects in file.images():
            reading.add(number, photograph, objects)
    shared = sorted(train.names & test.names)
    if shared:
        raise LayoutError(
            "root",
            f"train2017 and val2017 have {how_many(len(shared), 'image')} in common, the first "
            f"{shared[0]}; put the official annotations there",
        )
    splits = parted(data, train.made(), test.made(), found)
    if data.boxes is None:
        return splits
    path = root / path_of(data.boxes)
    detected = read_detected(path, test.numbers, categories=file.categories)
    return replace(splits, detected=detected)


class _Reading:
    """Takes images one by one, and makes scenes of them.

    Args:
        sets: name of the set to read.
        found: records defects.
        every: whether to include images without a labelled person.

    Attributes:
        numbers: numbers of the images of the scenes, in their file.
    """

    def __init__(self, sets: str, found: Findings, *, every: bool = False) -> None:
        self.numbers: list[Any] = []
        self._people, self._every = sets == "keypoints", every
        self._photographs: list[Photograph] = []
        self._objects, self._points = ObjectList(found), array("f")
        self._shapes = Shapes(found) if sets == "masks" else None

    @property
    def names(self) -> set[str]:
        """Names of the images."""
        return {photograph.path.name for photograph in self._photographs}

    def add(self, number: Any, photograph: Photograph, objects: list[CocoObject]) -> None:
        """Add an image; one of people only if a joint is labelled, unless `every` is set."""
        known = (any(one.points[2::3]) for one in objects if not one.crowd)
        if self._people and not self._every and not any(known):
            return
        self.numbers.append(number)
        for one in objects:
            self._add(one, photograph)
        self._objects.close()
        self._photographs.append(photograph)

    def made(self) -> Photographs:
        """The scenes."""
        points = np.asarray(self._points, np.float32).reshape(-1, JOINTS, 3)
        return Photographs(
            self._photographs,
            self._objects.made(
                keypoints=points if self._people else None,
                masks=self._shapes.draw if self._shapes else None,
            ),
            classes=CLASSES[:1] if self._people else CLASSES,
            joints=_JOINTS if self._people else (),
            mirrored=_MIRRORED if self._people else (),
        )

    def _add(self, one: CocoObject, photograph: Photograph) -> None:
        shape = None
        if self._shapes is not None:
            shape = self._shapes.read(one.shape, photograph.size, one.where)
            if shape is None:
                return
        kept = self._objects.add(
            one.box,
            label=one.label,
            crowd=one.crowd,
            area=one.area,
            size=photograph.size,
            where=one.where,
        )
        if kept:
            self._points.extend(one.points)
            if self._shapes is not None:
                self._shapes.keep(shape)
