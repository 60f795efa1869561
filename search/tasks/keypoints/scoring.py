"""COCO's average precision of object keypoint similarity, by faster-coco-eval."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from search.scenes.scene import Part, Scene
from search.tasks.libraries import library

COCO_JOINTS = (
    "nose", "left eye", "right eye", "left ear", "right ear", "left shoulder", "right shoulder",
    "left elbow", "right elbow", "left wrist", "right wrist", "left hip", "right hip",
    "left knee", "right knee", "left ankle", "right ankle",
)  # fmt: skip
_COCO_SIGMAS = (
    0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107,
    0.087, 0.087, 0.089, 0.089,
)  # fmt: skip
_SIGMA = 0.1  # for each point of any other data set
_SMALL, _LARGE, _ALL = 32.0**2, 96.0**2, 1e5**2  # pixels, as in COCO
_SIZES = {"small": (0.0, _SMALL), "medium": (_SMALL, _LARGE), "large": (_LARGE, _ALL)}


class Found(NamedTuple):
    """The points of an object, and the network's confidence in them."""

    scene: int  # number of the scene in its part
    points: Any  # (K, 2), x and y in pixels of the image
    sure: float
    area: float = 0.0  # of its window, in pixels


def sigmas_of(joints: Sequence[str]) -> tuple[float, ...]:
    """The tolerance of each point: COCO's own for its people, else 0.1 for each."""
    words = tuple(joint.replace("_", " ") for joint in joints)
    return _COCO_SIGMAS if words == COCO_JOINTS else (_SIGMA,) * len(words)


def labelled(scene: Scene) -> list[int]:
    """Numbers of the objects with known points that are not crowds."""
    assert scene.keypoints is not None, "the data set was checked"
    known = np.count_nonzero(scene.keypoints[..., 2], axis=1) > 0
    single = np.ones_like(known) if scene.crowd is None else ~scene.crowd
    return np.flatnonzero(known & single).tolist()


def truth(part: Part, joints: Sequence[str], scale: float) -> dict[str, Any]:
    """The objects of a part as a COCO data set, all of one category.

    Args:
        part: part of the scenes.
        joints: names of the points.
        scale: factor for everything in pixels.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for row in range(len(part)):
        scene = part.outline(row)
        high, wide = scene.image.shape[:2]
        images.append({"id": row, "height": round(high * scale), "width": round(wide * scale)})
        for one in _annotations(scene, scale):
            annotations.append({"id": len(annotations) + 1, "image_id": row, **one})
    about = {"id": 1, "name": "object", "keypoints": list(joints), "skeleton": []}
    return {"images": images, "annotations": annotations, "categories": [about]}


def results(found: Sequence[Found], scale: float) -> list[dict[str, Any]]:
    """The predictions in COCO's results format.

    Args:
        found: at most one for each object.
        scale: as for `truth`.
    """
    return [
        {
            "image_id": one.scene,
            "category_id": 1,
            "score": one.sure,
            "keypoints": _flat(np.asarray(one.points, np.float64) * scale, 1.0),
        }
        for one in found
    ]


def average_precision(
    wanted: dict[str, Any], found: list[dict[str, Any]], sigmas: Sequence[float]
) -> dict[str, float | None]:
    """COCO's averages in percent, by the names of the task's metrics.

    Args:
        wanted: from `truth`.
        found: from `results`.
        sigmas: from `sigmas_of`.

    Returns:
        Each average; None where no object has that size.
    """
    coco = library("faster_coco_eval")
    there = coco.COCO(wanted, print_function=_silent)
    scorer = coco.COCOeval_faster(
        there,
        there.loadRes(found),
        "keypoints",
        print_function=_silent,
        kpt_oks_sigmas=list(sigmas),
    )
    scorer.params.areaRng = [[0.0, _ALL], *(list(size) for size in _SIZES.values())]
    scorer.params.areaRngLbl = ["all", *_SIZES]
    scorer.evaluate()
    scorer.accumulate()
    precision = scorer.eval["precision"]  # by OKS from 0.5 to 0.95, recall, category, size
    each = {f"ap_{size}": precision[..., place, 0] for place, size in enumerate(_SIZES, 1)}
    each |= {"ap": precision[..., 0, 0], "ap50": precision[0, ..., 0, 0]}
    each["ap75"] = precision[5, ..., 0, 0]
    return {name: _mean(values[values > -1]) for name, values in each.items()}


def _mean(values: Any) -> float | None:
    return 100 * float(values.mean()) if values.size else None


def _annotations(scene: Scene, scale: float) -> Iterator[dict[str, Any]]:
    assert scene.boxes is not None, "the data set was checked"
    assert scene.keypoints is not None, "the data set was checked"
    sides = scene.boxes[:, 2:] - scene.boxes[:, :2]
    areas = sides.prod(1) if scene.areas is None else scene.areas
    for at, (box, points) in enumerate(zip(scene.boxes, scene.keypoints, strict=True)):
        yield {
            "category_id": 1,
            "bbox": [float(each) * scale for each in (*box[:2], *sides[at])],
            "area": float(areas[at]) * scale**2,
            "iscrowd": int(scene.crowd is not None and scene.crowd[at]),
            "num_keypoints": int((points[:, 2] > 0).sum()),
            "keypoints": _flat(points[:, :2].astype(np.float64) * scale, points[:, 2]),
        }


def _flat(points: Any, seen: Any) -> list[float]:
    """x, y and visibility of each point, one after the other."""
    third = np.broadcast_to(seen, len(points))
    flat: list[float] = np.column_stack([points, third]).ravel().tolist()
    return flat


def _silent(*_: object) -> None:
    """Do nothing; the library's output is not needed."""
