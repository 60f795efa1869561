"""The shapes of COCO's objects in compact arrays, drawn on demand.

Polygons and runs of pixels are drawn by COCO's own code, in faster-coco-eval.
"""

import itertools
from array import array
from typing import Any

import numpy as np
import numpy.typing as npt

from search.scenes.findings import Findings
from search.scenes.pictures import Size

_FEWEST = 6  # numbers in the smallest polygon: three points
_FAR = 2  # in longest sides of the image; drawing shapes further out takes ever more memory
_NO_RUNS = "shapes that cannot be read"


class Shapes:
    """Stores the shapes of objects one by one, and draws those of an image.

    Args:
        found: records defects.
    """

    def __init__(self, found: Findings) -> None:
        self._found = found
        self._numbers = array("d")  # x and y of all points of all polygons
        self._polygons = array("q", [0])  # index of each polygon's first number
        self._objects = array("q", [0])  # index of each object's first polygon
        self._runs: dict[int, dict[str, Any]] = {}

    def read(self, shape: Any, size: Size, where: str) -> Any:
        """Check a shape, in the form that `keep` takes; None where it cannot be drawn.

        Args:
            shape: polygons, or runs of pixels as numbers or as text.
            size: size of the image.
            where: its place, for messages.
        """
        try:
            if isinstance(shape, dict):
                return self._read_runs(shape, size, where)
            return self._read_polygons(shape, size, where)
        except (TypeError, ValueError, KeyError, OverflowError, RuntimeError) as error:
            self._found.refuse(_NO_RUNS, f"{where} ({error})")
            return None

    def keep(self, shape: Any) -> None:
        """Add the shape of the next object."""
        if isinstance(shape, dict):
            self._runs[len(self._objects) - 1] = shape
        else:
            for polygon in shape:
                self._numbers.extend(polygon)
                self._polygons.append(len(self._numbers))
        self._objects.append(len(self._polygons) - 1)

    def draw(self, first: int, count: int, size: Size) -> npt.NDArray[np.bool_]:
        """(count, H, W), the pixels of objects from `first` on."""
        drawn = np.zeros((count, *size), bool)
        for at in range(count):
            drawn[at] = self._drawn(first + at, size)
        return drawn

    def _drawn(self, number: int, size: Size) -> npt.NDArray[np.bool_]:
        mask = _library()
        if number in self._runs:
            return np.asarray(mask.decode(self._runs[number]), bool)
        ends = self._polygons[self._objects[number] : self._objects[number + 1] + 1]
        polygons = [list(self._numbers[a:b]) for a, b in itertools.pairwise(ends)]
        return np.asarray(mask.decode(mask.merge(mask.frPyObjects(polygons, *size))), bool)

    def _read_polygons(self, shape: Any, size: Size, where: str) -> Any:
        polygons = [[float(number) for number in polygon] for polygon in shape]
        whole = [one for one in polygons if len(one) >= _FEWEST and len(one) % 2 == 0]
        if len(whole) < len(polygons):
            self._found.note("polygons of fewer than three points, left out", where)
        if not whole:
            self._found.note("objects without a shape, left out", where)
            return None
        away = np.abs(np.concatenate(whole))
        if not (away <= _FAR * max(size)).all():  # false for NaN too
            raise ValueError(f"a point of it is {away.max():g} pixels away")
        return whole

    def _read_runs(self, shape: dict[str, Any], size: Size, where: str) -> Any:
        high, wide = (int(side) for side in shape["size"])
        if (high, wide) != size:
            said = f"{where} of {wide} x {high} px instead of {size[1]} x {size[0]} px"
            self._found.refuse("shapes for another size than the image has", said)
            return None
        mask, counts = _library(), shape["counts"]
        if isinstance(counts, str):
            return _checked({"size": [high, wide], "counts": counts.encode()}, mask)
        runs = [int(run) for run in counts]
        if min(runs, default=-1) < 0 or sum(runs) != high * wide:
            raise ValueError(f"its runs have {sum(runs)} pixels, the image has {high * wide}")
        return mask.frPyObjects({"size": [high, wide], "counts": runs}, high, wide)


def _checked(runs: dict[str, Any], mask: Any) -> dict[str, Any]:
    """Runs as text, which are drawn once to check that they can be."""
    if mask.decode(runs).shape != tuple(runs["size"]):
        raise ValueError("its runs do not fill the image")
    return runs


def _library() -> Any:
    from faster_coco_eval.core import mask  # noqa: PLC0415 - an extra, which tasks require

    return mask
