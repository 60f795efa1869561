"""COCO in its official layout: what is read, equal to pycocotools, and what is refused."""

import contextlib
import copy
import json
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.scenes.checking import read_through
from search.scenes.scene import Part, Scene, SceneSplits
from search.schema.yaml import ConfigError
from tests.search.scenes import written
from tests.search.scenes.written import HIGH, WIDE

theirs = pytest.importorskip("pycocotools.coco", reason="is an extra")
pytest.importorskip("faster_coco_eval", reason="is an extra")
IMAGES = {"boxes": 6, "masks": 6, "keypoints": 5}
TRAIN = "annotations/instances_train2017.json"
PEOPLE = "annotations/person_keypoints_train2017.json"


def splits_of(root: Path, sets: str) -> SceneSplits:
    data = written.planned(root, name="coco", sets=sets, images=IMAGES[sets], test=2)
    return written.splits(data, root)


def scenes_of(*parts: Part) -> dict[str, Scene]:
    return {part[at].name: part[at] for part in parts for at in range(len(part))}


def read(root: Path, sets: str) -> tuple[str, ...]:
    data = written.planned(root, name="coco", sets=sets, images=IMAGES[sets], test=2)
    return read_through(data, root, advance=lambda done, total: None)


@pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning")  # theirs, of NumPy
def test_objects_and_masks_are_those_of_pycocotools(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Polygons in one and two parts, runs as numbers and as text, a crowd, an empty image."""
    root = written.coco(tmp_path)
    splits = splits_of(root, "masks")
    found = scenes_of(splits.train, splits.validation)
    there = theirs.COCO(str(root / TRAIN))
    assert len(there.imgs) == len(found) == 6
    for image_id, about in there.imgs.items():
        scene = found[about["file_name"]]
        objects = there.loadAnns(there.getAnnIds(image_id))
        assert scene.masks is not None
        assert scene.masks.shape == (len(objects), HIGH, WIDE)
        for at, one in enumerate(objects):
            np.testing.assert_array_equal(scene.masks[at], there.annToMask(one).astype(bool))
            assert scene.boxes is not None
            x0, y0, x1, y1 = scene.boxes[at].tolist()
            assert [x0, y0, x1 - x0, y1 - y0] == one["bbox"]
            assert scene.labels is not None
            name = splits.classes[scene.labels[at]]
            assert name == there.cats[one["category_id"]]["name"]
            assert scene.crowd is not None
            assert bool(scene.crowd[at]) == bool(one["iscrowd"])
            assert scene.areas is not None
            assert scene.areas[at] == np.float32(one["area"])
    assert not len(found["t00000000006.jpg"].boxes)
    assert len(splits.classes) == 80
    assert read(root, "masks") == ()


def test_masks_are_not_kept_where_only_boxes_are_read(tmp_path: Path) -> None:
    scene = splits_of(written.coco(tmp_path), "boxes").test[0]
    assert scene.masks is None
    assert scene.boxes is not None
    assert len(scene.boxes) == 4


def test_people_have_their_joints(tmp_path: Path) -> None:
    splits = splits_of(written.coco(tmp_path), "keypoints")
    assert len(splits.train) + len(splits.validation) == 5, "the sixth holds nobody"
    scene = splits.test[0]
    assert scene.keypoints is not None
    assert scene.keypoints.shape == (1, 17, 3)
    # A file names the pixel, whose middle is half a pixel further.
    assert scene.keypoints[0, 3].tolist() == [13.5, 14.5, 2]
    assert scene.keypoints[0, 16].tolist() == [0, 0, 0]
    assert splits.classes == ("person",)
    for at, other in enumerate(splits.mirrored):
        swapped = splits.joints[at].replace("left", "x").replace("right", "left")
        assert swapped.replace("x", "right") == splits.joints[other]


def test_an_outline_says_the_same_without_reading_pixels(tmp_path: Path) -> None:
    root = written.coco(tmp_path)
    splits = splits_of(root, "masks")
    scene = splits.test[1]
    for path in (root / "val2017").iterdir():
        path.unlink()
    outline = splits.test.outline(1)
    np.testing.assert_array_equal(outline.boxes, scene.boxes)
    np.testing.assert_array_equal(outline.areas, scene.areas)
    assert outline.image.shape == scene.image.shape


def change(path: str, how: Callable[[Any], None]) -> Callable[[Path], None]:
    def write(root: Path) -> None:
        content = json.loads((root / path).read_text(encoding="utf-8"))
        how(content)
        (root / path).write_text(json.dumps(content), encoding="utf-8")

    return write


def add(**more: Any) -> Callable[[Path], None]:
    one = written.coco_object(1, 10, (1, 1, 20, 20), id=900) | more
    return change(TRAIN, lambda content: content["annotations"].append(one))


def without(key: str) -> Callable[[Path], None]:
    return change(TRAIN, lambda content: content["annotations"][0].pop(key))


def spoil(path: str) -> Callable[[Path], None]:
    def cut(root: Path) -> None:
        content = (root / path).read_bytes()
        (root / path).write_bytes(content[: len(content) // 2])

    return cut


def enlarge(content: Any) -> None:
    content["images"][0]["height"] = HIGH + 1


FUZZ = 150
JUNK: list[Any] = [
    None, True, -1, 0, 1, 7, 1e300, 10**30, float("nan"), "", "7", [], [1], [[]], {},
    {"id": []},
]  # fmt: skip
WRONG: list[tuple[str, Callable[[Path], None], str]] = [
    ("boxes", spoil(TRAIN), "instances_train2017.json is damaged"),
    ("boxes", lambda root: (root / TRAIN).unlink(), "instances_train2017.json cannot be read"),
    ("boxes", lambda root: shutil.rmtree(root / "val2017"), "val2017 cannot be read"),
    ("boxes", lambda root: (root / TRAIN).write_text("[]"), "is not a COCO annotation file"),
    ("boxes", lambda root: shutil.copy(root / PEOPLE, root / TRAIN),
     "contains what person_keypoints files do, but instances is needed"),
    ("keypoints", lambda root: shutil.copy(root / TRAIN, root / PEOPLE),
     "contains what instances files do, but person_keypoints is needed"),
    ("boxes", lambda root: (root / "train2017/t00000000002.jpg").unlink(),
     "images that are listed and not there: 1, the first .*t00000000002.jpg"),
    ("boxes", spoil("val2017/v00000000001.jpg"), "images that cannot be decoded: 1"),
    ("boxes", change(TRAIN, enlarge), "images of another size than their annotation says: 1"),
    ("boxes", add(category_id=7), "objects of a class that COCO does not have: 1, the first "
     ".*annotation 900 (7)"),
    ("boxes", add(image_id=99), "annotations of images that are not listed: 1"),
    ("boxes", add(bbox=[1, 2]), "that cannot be read: 1, the first .*annotation 900"),
    ("boxes", without("bbox"), "annotation 1 (has no bbox)"),
    ("boxes", without("area"), "annotation 1 (has no area)"),
    ("keypoints", change(PEOPLE, lambda c: c["annotations"][0]["keypoints"].pop()),
     "keypoints are not 17 times x, y and 0, 1 or 2"),
    ("masks", add(segmentation={"size": [9, 9], "counts": [81]}),
     "shapes for another size than the image has: 1, the first .*annotation 900 of 9 x 9 px"),
    ("masks", add(segmentation={"size": [HIGH, WIDE], "counts": [81]}),
     "shapes that cannot be read: 1"),
    ("masks", add(segmentation={"counts": [81]}), "shapes that cannot be read: 1"),
    ("masks", add(segmentation={"size": [HIGH, WIDE], "counts": "no runs"}),
     "shapes that cannot be read: 1"),
    ("masks", add(segmentation=[["a", 1, 2, 3, 4, 5]]), "shapes that cannot be read: 1"),
    ("masks", without("segmentation"), "shapes that cannot be read: 1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sets", "damage", "said"),
    WRONG,
    ids=[f"{at} {case[2][:40]}" for at, case in enumerate(WRONG)],
)
def test_what_is_wrong_is_said_before_anything_runs(
    tmp_path: Path, sets: str, damage: Callable[[Path], None], said: str
) -> None:
    root = written.coco(tmp_path)
    damage(root)
    with pytest.raises(ConfigError, match=re.escape(said).replace(r"\.\*", ".*")) as error:
        read(root, sets)
    assert "data.root: " in str(error.value)
    assert re.search("put|unpack", str(error.value)), "there is a remedy"


def places_in(content: Any) -> list[tuple[Any, Any]]:
    """Every place of a JSON file: what holds it, and its key there."""
    found: list[tuple[Any, Any]] = []
    pairs = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in pairs:
        found.append((content, key))
        if isinstance(value, dict | list):
            found += places_in(value)
    return found


@pytest.mark.parametrize("sets", ["masks", "keypoints"])
def test_whatever_stands_at_a_place_it_is_read_or_refused(tmp_path: Path, sets: str) -> None:
    """Junk at any place of a file: a study begins, or one error says what is wrong."""
    root = written.coco(tmp_path)
    path = root / (PEOPLE if sets == "keypoints" else TRAIN)
    content = path.read_text(encoding="utf-8")
    rng = random.Random(0)
    for _ in range(FUZZ):
        spoilt = json.loads(content)
        holder, key = rng.choice(places_in(spoilt))
        holder[key] = copy.deepcopy(rng.choice(JUNK))
        path.write_text(json.dumps(spoilt), encoding="utf-8")
        with contextlib.suppress(ConfigError):
            splits = splits_of(root, sets)
            for part in (splits.train, splits.validation):
                for row in range(len(part)):
                    part[row]


def test_an_image_in_both_parts_is_refused(tmp_path: Path) -> None:
    root = written.coco(tmp_path)
    shutil.copy(root / TRAIN, root / TRAIN.replace("train", "val"))
    shutil.copytree(root / "train2017", root / "val2017", dirs_exist_ok=True)
    with pytest.raises(ConfigError, match="train2017 and val2017 have 6 images in common"):
        splits_of(root, "boxes")


def test_what_is_set_right_is_said(tmp_path: Path) -> None:
    more = [
        written.coco_object(1, 10, (50, 40, 20, 20)),
        written.coco_object(1, 10, (5, 5, 0, 20)),
        written.coco_object(1, 10, (5, 5, 9, 9), segmentation=[]),
        written.coco_object(1, 10, (5, 5, 9, 9), segmentation=[[1, 2, 3, 4]]),
    ]
    root = written.coco(tmp_path, more)
    (root / "train2017" / "more.jpg").write_bytes(b"")
    notes = {note.split(", the first")[0] for note in read(root, "masks")}
    assert notes == {
        "boxes beyond their image, cut at its edge: 1",
        "boxes of no area inside their image, left out: 1",
        "polygons of fewer than three points, left out: 1",
        "objects without a shape, left out: 2",
        "files beside the images, not read: 1",
    }
    splits = splits_of(root, "masks")
    scene = scenes_of(splits.train, splits.validation)["t00000000001.jpg"]
    assert scene.masks is not None
    assert scene.boxes is not None
    assert len(scene.masks) == len(scene.boxes) == 5
    assert scene.boxes[4].tolist() == [50, 40, WIDE, HIGH]
