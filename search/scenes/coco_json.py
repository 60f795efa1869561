"""Reads COCO's annotation files: images, and their objects with boxes, shapes or joints."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import from_json

from search.scenes.findings import Findings, LayoutError
from search.scenes.photographs import Box, Photograph
from search.scenes.pictures import Size

CLASSES = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat",
    "traffic light", "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat",
    "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "backpack",
    "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball",
    "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket",
    "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
    "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair",
    "couch", "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse",
    "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink",
    "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier",
    "toothbrush",
)  # fmt: skip
JOINTS = 17  # keypoints of a person
_LONGEST = 65_535  # longest side of a JPEG in pixels
_ZIP = "annotations_trainval2017.zip"
_WRONG = (KeyError, TypeError, ValueError, OverflowError)
_LISTS = ("images", "annotations", "categories")


class CocoObject(NamedTuple):
    """An object as in the file.

    Attributes:
        box: two corners in pixels.
        label: number of the class from 0.
        crowd: whether it stands for many objects.
        area: area of its mask in pixels.
        shape: polygons or runs of pixels; None if none is given.
        points: 17 times x, y and visibility; empty if they are not read.
        where: its place, for messages.
    """

    box: Box
    label: int
    crowd: bool
    area: float
    shape: Any
    points: tuple[float, ...]
    where: str


class CocoFile:
    """An annotation file, read.

    Args:
        root: the folder that holds `annotations`, `train2017` and `val2017`.
        part: "train2017" or "val2017".
        joints: whether people with joints are wanted, else objects of 80 classes.
        found: records defects.

    Raises:
        LayoutError: a file or folder is missing, or is not such a file.
    """

    def __init__(self, root: Path, part: str, *, joints: bool, found: Findings) -> None:
        kind = "person_keypoints" if joints else "instances"
        self._path, self._found = root / "annotations" / f"{kind}_{part}.json", found
        self._folder, self._joints = root / part, joints
        self._there = _names(self._folder)
        content = _read(self._path)
        _check_kind(content, self._path, joints=joints)
        self._images: list[Any] = content["images"]
        self._annotations: list[Any] = content["annotations"]
        self._labels = {one["id"]: one["name"] for one in content["categories"]}

    @property
    def categories(self) -> Mapping[Any, str]:
        """Names of the classes by their numbers in the file."""
        return self._labels

    def images(self) -> Iterator[tuple[Any, Photograph, list[CocoObject]]]:
        """Each image with its number and its objects, in the file's order."""
        objects, listed = self._by_image(), set[str]()
        for number, one in enumerate(self._images):
            try:
                name, size = str(one["file_name"]), _size(one)
                listed.add(name)
                theirs = objects.pop(one["id"], [])
            except _WRONG as error:
                where = f"{self._path}, images[{number}] ({_said(error)})"
                self._found.refuse("annotations that cannot be read", where)
                continue
            if name not in self._there:
                self._found.refuse(
                    "images that are listed and not there", str(self._folder / name)
                )
            photograph = Photograph(self._folder / name, size)
            yield one["id"], photograph, [*self._objects(theirs)]
        for others in objects.values():
            self._found.refuse(
                "annotations of images that are not listed", f"{self._where(others[0])}"
            )
        for name in sorted(self._there - listed):
            self._found.note("files beside the images, not read", str(self._folder / name))

    def _by_image(self) -> dict[Any, list[Any]]:
        grouped: dict[Any, list[Any]] = {}
        for number, one in enumerate(self._annotations):
            try:
                grouped.setdefault(one["image_id"], []).append({**one})
            except _WRONG as error:
                where = f"{self._path}, annotations[{number}] ({_said(error)})"
                self._found.refuse("annotations that cannot be read", where)
        return grouped

    def _objects(self, annotations: list[Any]) -> Iterator[CocoObject]:
        for one in annotations:
            where = self._where(one)
            try:
                name = self._labels.get(one["category_id"])
                if name not in CLASSES or (self._joints and name != "person"):
                    kind = "objects of a class that COCO does not have"
                    self._found.refuse(kind, f"{where} ({name or one['category_id']})")
                    continue
                yield self._object(one, CLASSES.index(name), where)
            except _WRONG as error:
                self._found.refuse(
                    "annotations that cannot be read", f"{where} ({_said(error)})"
                )

    def _object(self, one: Any, label: int, where: str) -> CocoObject:
        x, y, wide, high = (float(each) for each in one["bbox"])
        return CocoObject(
            box=(x, y, x + wide, y + high),
            label=label,
            crowd=bool(one.get("iscrowd", 0)),
            area=float(one["area"]),
            shape=one.get("segmentation"),
            points=_points(one["keypoints"]) if self._joints else (),
            where=where,
        )

    def _where(self, one: Any) -> str:
        return f"{self._path}, annotation {one.get('id', 'without an id')}"


def _size(one: Any) -> Size:
    """Height and width, checked, as drawing at an impossible size would take all memory."""
    size = int(one["height"]), int(one["width"])
    if not all(0 < side <= _LONGEST for side in size):
        raise ValueError(f"an image of {size[1]:g} x {size[0]:g} px")
    return size


def _points(values: Any) -> tuple[float, ...]:
    """Joints, at the middle of the pixel whose number a file gives."""
    numbers = [float(value) for value in values]
    if len(numbers) != 3 * JOINTS or not {*numbers[2::3]} <= {0.0, 1.0, 2.0}:
        raise ValueError(f"keypoints are not {JOINTS} times x, y and 0, 1 or 2")
    return tuple(
        number + 0.5 if at % 3 < 2 and numbers[at - at % 3 + 2] else number
        for at, number in enumerate(numbers)
    )


def _names(folder: Path) -> set[str]:
    try:
        return {path.name for path in folder.iterdir()}
    except OSError as error:
        raise LayoutError(
            "root",
            f"{folder.absolute()} cannot be read ({error.strerror}); unpack the official "
            f"{folder.name}.zip there, or set data.root to the folder that holds it",
        ) from error


def _read(path: Path) -> Any:
    try:
        return from_json(path.read_bytes())
    except OSError as error:
        raise LayoutError(
            "root",
            f"{path.absolute()} cannot be read ({error.strerror}); unpack the official {_ZIP} "
            "there, or set data.root to the folder that holds annotations",
        ) from error
    except ValueError as error:
        raise LayoutError(
            "root", f"{path} is damaged ({error}); unpack the official {_ZIP} again"
        ) from error


def _check_kind(content: Any, path: Path, *, joints: bool) -> None:
    """Check that a file has COCO's format, and is of the wanted kind."""
    lists = isinstance(content, dict) and all(
        isinstance(content.get(key), list) for key in _LISTS
    )
    if not lists or not all(map(_is_category, content["categories"])):
        raise LayoutError(
            "root",
            f"{path} is not a COCO annotation file: it needs the lists {', '.join(_LISTS)}; "
            f"put the one from the official {_ZIP} there",
        )
    theirs = any("keypoints" in one for one in content["categories"])
    if theirs != joints:
        is_one, meant = ("person_keypoints", "instances")[:: 1 if theirs else -1]
        raise LayoutError(
            "root",
            f"{path} contains what {is_one} files do, but {meant} is needed; put the one "
            f"from the official {_ZIP} there",
        )


def _is_category(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("id"), int) and "name" in one


def _said(error: BaseException) -> str:
    return f"has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
