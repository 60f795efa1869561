"""Small folders in the official layouts, written by hand, for tests."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.io import savemat

from search.scenes.coco_json import CLASSES
from search.scenes.scene import SceneSplits
from search.schema.data import Data, PlannedData, planned_data
from search.schema.datasets import DATASETS

HIGH, WIDE = 48, 64  # pixels of each image
VOC_LISTS = {
    ("VOC2007", "Main/trainval"): [f"{n:06}" for n in range(1, 7)],
    ("VOC2007", "Main/test"): ["000101", "000102"],
    ("VOC2012", "Main/trainval"): [f"2008_{n:06}" for n in range(1, 5)],
    ("VOC2012", "Segmentation/train"): [f"2008_{n:06}" for n in range(1, 5)],
    ("VOC2012", "Segmentation/val"): ["2009_000001", "2009_000002"],
}
# Of SBD: one that VOC trains on, one that it tests on, and three of its own.
SBD_LISTS = {
    "train": ["2008_000001", "2010_000001", "2010_000002"],
    "val": ["2009_000001", "2010_000003"],
}


def image(path: Path, *, seed: int = 0, size: tuple[int, int] = (HIGH, WIDE)) -> None:
    """Noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def voc_object(name: str, box: Sequence[float], *, difficult: int = 0, more: str = "") -> str:
    """An object of an annotation, its box with VOC's own corners."""
    ends = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    corners = "".join(f"<{end}>{at}</{end}>" for end, at in ends)
    return (
        f"<object><name>{name}</name><difficult>{difficult}</difficult>"
        f"<bndbox>{corners}</bndbox>{more}</object>"
    )


def voc_xml(path: Path, *objects: str, size: tuple[int, int] = (HIGH, WIDE)) -> None:
    """An annotation."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"<annotation><size><width>{size[1]}</width><height>{size[0]}</height><depth>3</depth>"
        f"</size>{''.join(objects)}</annotation>",
        encoding="utf-8",
    )


def palette(path: Path, indices: npt.NDArray[np.uint8]) -> None:
    """A map of classes as VOC has them: indices of a palette."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = Image.fromarray(indices, mode="P")
    made.putpalette([(37 * at) % 256 for at in range(768)])
    made.save(path)


def class_map(seed: int) -> npt.NDArray[np.uint8]:
    """A map with background, two classes and pixels that do not count."""
    found = np.zeros((HIGH, WIDE), np.uint8)
    found[4:20, 5:30], found[20:40, 30:60] = 1 + seed % 20, 15
    found[20, 30:60] = 255
    return found


def voc(root: Path) -> Path:
    """VOC2007 and VOC2012 with a few images, and SBD."""
    for (year, part), names in VOC_LISTS.items():
        folder = root / "VOCdevkit" / year
        listed = folder / "ImageSets" / f"{part}.txt"
        listed.parent.mkdir(parents=True, exist_ok=True)
        listed.write_text("".join(f"{name}\n" for name in names), encoding="ascii")
        for number, name in enumerate(names):
            image(folder / "JPEGImages" / f"{name}.jpg", seed=number)
            dog = voc_object("dog", (11, 6, 30, 40))
            man = voc_object(
                "person",
                (33, 9, 60, 48),
                difficult=1,
                more="<part><name>head</name><bndbox><xmin>34</xmin></bndbox></part>",
            )
            voc_xml(folder / "Annotations" / f"{name}.xml", dog, man)
            palette(folder / "SegmentationClass" / f"{name}.png", class_map(number))
    dataset = root / "benchmark_RELEASE" / "dataset"
    for part, names in SBD_LISTS.items():
        (dataset / "cls").mkdir(parents=True, exist_ok=True)
        (dataset / f"{part}.txt").write_text("\n".join(names) + "\n", encoding="ascii")
        for name in names:
            image(dataset / "img" / f"{name}.jpg")
            of_pixels = np.full((HIGH, WIDE), 7, np.uint8)
            savemat(dataset / "cls" / f"{name}.mat", {"GTcls": {"Segmentation": of_pixels}})
    return root


def coco_object(image_id: int, category: int, box: Sequence[float], **more: Any) -> Any:
    """An annotation; its shape is its box unless another is given."""
    x, y, wide, high = box
    corners = [x, y, x + wide, y, x + wide, y + high, x, y + high]
    return {
        "image_id": image_id,
        "category_id": category,
        "bbox": list(box),
        "area": wide * high / 2,
        "iscrowd": 0,
        "segmentation": [corners],
    } | more


def coco_json(
    path: Path, images: Sequence[str], annotations: Sequence[Any], *, people: bool = False
) -> None:
    """An annotation file; the images are numbered from 1, and classes by tens."""
    classes = CLASSES[:1] if people else CLASSES
    categories: list[dict[str, Any]] = [
        {"id": 10 * at, "name": name} for at, name in enumerate(classes, 1)
    ]
    if people:
        categories[0]["keypoints"] = ["nose"]
    numbered = [{"id": at, **one} for at, one in enumerate(annotations, 1)]
    content = {
        "images": [
            {"id": at, "file_name": name, "height": HIGH, "width": WIDE}
            for at, name in enumerate(images, 1)
        ],
        "annotations": numbered,
        "categories": categories,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


POLYGONS = [[2, 3, 9.3, 4.1, 7.7, 20.9], [20, 20, 32, 20, 28, 34]]
RUNS = [HIGH * 10, HIGH * 20, HIGH * (WIDE - 30)]  # columns 10 to 29


def coco(root: Path, more: Sequence[Any] = (), *, images: int = 6) -> Path:
    """COCO with a few images, of which the last to train on holds nothing."""
    from pycocotools import mask  # noqa: PLC0415 - of an extra

    drawn = np.zeros((HIGH, WIDE), np.uint8, order="F")
    drawn[10:30, 20:50] = 1
    text = mask.encode(drawn)["counts"].decode()
    for part, count in (("train2017", images), ("val2017", 2)):
        names = [f"{part[:1]}{at:011}.jpg" for at in range(1, count + 1)]
        for at, name in enumerate(names):
            image(root / part / name, seed=at)
        objects: list[Any] = []
        for at in range(1, count + (part == "val2017")):
            objects += [
                coco_object(at, 10, (5, 5, 20.5, 30.25)),
                coco_object(at, 800, (10, 0, 20, HIGH), iscrowd=1,
                            segmentation={"size": [HIGH, WIDE], "counts": RUNS}),
                coco_object(at, 30, (20, 10, 30, 20),
                            segmentation={"size": [HIGH, WIDE], "counts": text}),
                coco_object(at, 20, (2, 3, 30, 31), segmentation=POLYGONS),
            ]  # fmt: skip
        where = root / "annotations"
        extra = more if part == "train2017" else ()
        coco_json(where / f"instances_{part}.json", names, [*objects, *extra])
        points = [n for k in range(14) for n in (10 + k, 8 + 2 * k, 2)] + [0] * 9
        people = [
            coco_object(at, 10, (4, 4, 40, 40), keypoints=points, num_keypoints=14)
            for at in range(1, count + (part == "val2017"))
        ]
        coco_json(where / f"person_keypoints_{part}.json", names, people, people=True)
    return root


def saliency(root: Path) -> Path:
    """DUTS-TR and ECSSD with a few images."""
    for images, maps, count in (
        ("DUTS-TR/DUTS-TR-Image", "DUTS-TR/DUTS-TR-Mask", 6),
        ("ECSSD/images", "ECSSD/ground_truth_mask", 2),
    ):
        for at in range(count):
            image(root / images / f"{at}.jpg", seed=at)
            (root / maps).mkdir(parents=True, exist_ok=True)
            of_pixels = np.zeros((HIGH, WIDE), np.uint8)
            of_pixels[10:30, 10 + at : 40] = 255
            Image.fromarray(of_pixels).save(root / maps / f"{at}.png")
    return root


def planned(root: Path, **keys: Any) -> PlannedData:
    """The data section of a plan."""
    return planned_data(Data.model_validate({"root": str(root), "validation": 2, **keys}))


def splits(data: PlannedData, root: Path) -> SceneSplits:
    """The scenes of a plan."""
    made: SceneSplits = DATASETS.make(data.name)(data, root)
    return made


def section(name: str, root: Path) -> Mapping[str, Any]:
    """The data section of a space file, for the folders that are written here."""
    sets = {
        "voc07": {"name": "voc", "sets": "voc07", "images": 6},
        "voc12+sbd": {"name": "voc", "sets": "voc12+sbd", "images": 7},
        "boxes": {"name": "coco", "sets": "boxes", "images": 6},
        "masks": {"name": "coco", "sets": "masks", "images": 6},
        "keypoints": {"name": "coco", "sets": "keypoints", "images": 5},
        "pairs": {
            "name": "saliency_pairs",
            "train_pairs": [["DUTS-TR/DUTS-TR-Image", "DUTS-TR/DUTS-TR-Mask"]],
            "test_pair": ["ECSSD/images", "ECSSD/ground_truth_mask"],
        },
    }
    return {"root": str(root), "validation": 2, "test": 2, **sets[name]}
