"""Reads the people that a detector found in the test images, in COCO's results format."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic_core import from_json

from search.scenes.findings import LayoutError

_KEY = "boxes"
_FORM = "[{image_id, category_id, bbox, score}, ...]"
_REMEDY = f"give a detector's results on val2017, in COCO's form {_FORM}"


class Detected(NamedTuple):
    """The boxes of one image.

    Attributes:
        boxes: (N, 4), x and y of two corners in pixels, perhaps outside the image.
        scores: (N,), the detector's confidence in each.
    """

    boxes: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float64]


def read_detected(
    path: Path, image_ids: Sequence[Any], *, categories: Mapping[Any, str]
) -> tuple[Detected, ...]:
    """The people that a detector found in each of several images.

    Args:
        path: path of the file.
        image_ids: numbers of the images in their annotation file.
        categories: names by the numbers in that file; all but "person" are ignored.

    Returns:
        The boxes of each image, in the order of the images.

    Raises:
        LayoutError: the file cannot be read, has another format, or holds other images or no
            people.
    """
    found: dict[Any, list[tuple[float, ...]]] = {one: [] for one in image_ids}
    strange: list[Any] = []
    for number, one in enumerate(_entries(path)):
        try:
            if categories.get(one["category_id"]) != "person":
                continue
            of_image, box = one["image_id"], _box(one)
            known = of_image in found
        except (KeyError, TypeError, ValueError) as error:
            missing = isinstance(error, KeyError)
            said = f"has no {error.args[0]}" if missing else f"cannot be read ({error})"
            raise LayoutError(_KEY, f"{path}: its entry {number} {said}; {_REMEDY}") from error
        if known:
            found[of_image].append(box)
        else:
            strange.append(of_image)
    if strange:
        raise LayoutError(
            _KEY,
            f"{path}: {len(strange):,} of its boxes are of images that val2017 does not have, "
            f"the first of image_id {strange[0]}; {_REMEDY}",
        )
    if not any(found.values()):
        raise LayoutError(_KEY, f"{path}: has no box of a person; {_REMEDY}")
    return tuple(_detected(boxes) for boxes in found.values())


def _entries(path: Path) -> list[Any]:
    try:
        content = from_json(path.read_bytes())
    except OSError as error:
        raise LayoutError(
            _KEY,
            f"{path.absolute()} cannot be read ({error.strerror}); give its path below "
            "data.root, or leave data.boxes out to score by true boxes",
        ) from error
    except ValueError as error:
        raise LayoutError(_KEY, f"{path} is damaged ({error}); {_REMEDY}") from error
    if not isinstance(content, list):
        raise LayoutError(_KEY, f"{path} is not a list of results; {_REMEDY}")
    return content


def _box(one: Any) -> tuple[float, ...]:
    x, y, wide, high = (float(each) for each in one["bbox"])
    box = (x, y, x + wide, y + high, float(one["score"]))
    if not all(map(math.isfinite, box)) or wide < 0 or high < 0:
        raise ValueError("its bbox or score is not a number, or its width or height is below 0")
    return box


def _detected(boxes: list[tuple[float, ...]]) -> Detected:
    each = np.asarray(boxes, np.float64).reshape(-1, 5)
    return Detected(each[:, :4], each[:, 4])
