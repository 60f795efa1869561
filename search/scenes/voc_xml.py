"""Reads VOC's annotation of an image: an XML file with a box for each object."""

from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from search.scenes.findings import FileError
from search.scenes.photographs import Box
from search.scenes.pictures import Size

CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa",
    "train", "tvmonitor",
)  # fmt: skip


class VocObject(NamedTuple):
    """An object, with the corners of its box as in `search.scenes.scene.Scene`."""

    box: Box
    label: int
    difficult: bool


class Annotated(NamedTuple):
    """A file's annotations of an image: its size, if given, and its objects."""

    size: Size | None
    objects: list[VocObject]


def read_annotation(path: Path) -> Annotated:
    """Read an annotation file.

    VOC counts pixels from 1, and the last one belongs to the object: a box from 1 to 500 is
    one from 0 to 500 here. Parts of an object, such as a head, are not read.

    Raises:
        FileError: it does not exist, or is damaged, or names a class that VOC does not have.
    """
    try:
        root = ElementTree.parse(path).getroot()  # noqa: S314 - expat limits entities
        return Annotated(_size(root), [_object(one, path) for one in root.iter("object")])
    except FileNotFoundError as error:
        raise FileError("annotations that are not there", str(path)) from error
    except (OSError, ElementTree.ParseError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError("annotations that cannot be read", f"{path} ({error})") from error


def _object(element: ElementTree.Element, path: Path) -> VocObject:
    name = _text(element, "name")
    if name not in CLASSES:
        raise FileError("objects of a class that VOC does not have", f"{path} ({name})")
    ends = (float(_text(element, f"bndbox/{end}")) for end in ("xmin", "ymin", "xmax", "ymax"))
    x0, y0, x1, y1 = ends
    difficult = (element.findtext("difficult") or "0").strip()
    return VocObject((x0 - 1, y0 - 1, x1, y1), CLASSES.index(name), difficult == "1")


def _size(root: ElementTree.Element) -> Size | None:
    if root.find("size") is None:
        return None
    return int(_text(root, "size/height")), int(_text(root, "size/width"))


def _text(element: ElementTree.Element, tag: str) -> str:
    text = element.findtext(tag)
    if text is None:
        raise ValueError(f"<{element.tag}> has no {tag}")
    return text.strip()
