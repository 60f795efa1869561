"""PASCAL VOC and SBD in their official layout: what is read, and what is refused."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from search.scenes.checking import read_through
from search.schema.yaml import ConfigError
from tests.search.scenes import written
from tests.search.scenes.written import HIGH, WIDE

YEAR_07 = "VOCdevkit/VOC2007"
YEAR_12 = "VOCdevkit/VOC2012"
SBD = "benchmark_RELEASE/dataset"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return written.voc(tmp_path)


def read(root: Path, sets: str, images: int) -> tuple[str, ...]:
    data = written.planned(root, name="voc", sets=sets, images=images, test=2)
    return read_through(data, root, advance=lambda done, total: None)


def test_boxes_are_those_of_the_files(root: Path) -> None:
    data = written.planned(root, name="voc", sets="voc07+12", images=10, test=2)
    splits = written.splits(data, root)
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [8, 2, 2]
    parts = (splits.train, splits.validation)
    names = [part[at].name for part in parts for at in range(len(part))]
    assert sorted(names) == sorted(
        f"{name}.jpg"
        for key in (("VOC2007", "Main/trainval"), ("VOC2012", "Main/trainval"))
        for name in written.VOC_LISTS[key]
    )
    scene = splits.test[0]
    assert scene.boxes is not None
    # VOC counts from 1, and its last pixel belongs to the object.
    assert scene.boxes.tolist() == [[10, 5, 30, 40], [32, 8, 60, 48]]
    assert scene.labels is not None
    assert [splits.classes[label] for label in scene.labels] == ["dog", "person"]
    assert scene.crowd is not None
    assert scene.crowd.tolist() == [False, True], "a difficult one is not held against anybody"
    assert scene.image.shape == (HIGH, WIDE, 3)
    assert read(root, "voc07+12", 10) == ()


def test_what_is_held_out_is_the_same_each_time_and_not_trained_on(root: Path) -> None:
    data = written.planned(root, name="voc", sets="voc07", images=6, test=2, train=3)
    first, again = (written.splits(data, root) for _ in range(2))
    assert first.train.rows == again.train.rows
    assert first.validation.rows == again.validation.rows
    assert not {*first.train.rows} & {*first.validation.rows}
    assert len(first.train) == 3


def test_classes_of_pixels_are_those_of_the_files(root: Path) -> None:
    data = written.planned(root, name="voc", sets="voc12+sbd", images=7, test=2)
    splits = written.splits(data, root)
    scenes = {
        scene.name: scene.semantic
        for part in (splits.train, splits.validation)
        for scene in (part[at] for at in range(len(part)))
    }
    own = written.VOC_LISTS["VOC2012", "Segmentation/train"]
    fresh = ("2010_000001", "2010_000002", "2010_000003")  # not the one that is tested on
    assert {*scenes} == {f"{name}.jpg" for name in (*own, *fresh)}
    # Where both have a map it is VOC's, whose borders do not count.
    np.testing.assert_array_equal(scenes["2008_000001.jpg"], written.class_map(0))
    np.testing.assert_array_equal(scenes["2010_000003.jpg"], np.full((HIGH, WIDE), 7))
    assert splits.test[1].name == "2009_000002.jpg"
    np.testing.assert_array_equal(splits.test[1].semantic, written.class_map(1))
    assert read(root, "voc12+sbd", 7) == ()


def lose(path: str) -> Callable[[Path], None]:
    return lambda root: (root / path).unlink()


def spoil(path: str) -> Callable[[Path], None]:
    """Keep the first half."""

    def cut(root: Path) -> None:
        content = (root / path).read_bytes()
        (root / path).write_bytes(content[: len(content) // 2])

    return cut


def append(path: str, line: str) -> Callable[[Path], None]:
    def add(root: Path) -> None:
        with (root / path).open("a", encoding="ascii") as file:
            file.write(line)

    return add


def write(path: str, content: bytes) -> Callable[[Path], None]:
    def rewrite(root: Path) -> None:
        (root / path).write_bytes(content)

    return rewrite


def annotate(*objects: str) -> Callable[[Path], None]:
    return lambda root: written.voc_xml(root / YEAR_07 / "Annotations/000003.xml", *objects)


BOX = (1, 1, 20, 20)
WRONG: list[tuple[str, Callable[[Path], None], str]] = [
    ("voc07", lose(f"{YEAR_07}/JPEGImages/000002.jpg"), "that are listed and not there: 1"),
    ("voc07", lose(f"{YEAR_07}/Annotations/000002.xml"), "annotations that are not there: 1"),
    ("voc07", spoil(f"{YEAR_07}/Annotations/000002.xml"), "annotations that cannot be read: 1"),
    ("voc07", spoil(f"{YEAR_07}/JPEGImages/000101.jpg"), "images that cannot be decoded: 1"),
    ("voc07", lose(f"{YEAR_07}/ImageSets/Main/test.txt"), "test.txt cannot be read"),
    ("voc07", append(f"{YEAR_07}/ImageSets/Main/test.txt", "000001\n"),
     "training and test set have 1 image in common, the first VOC2007 000001"),
    ("voc07", append(f"{YEAR_07}/ImageSets/Main/test.txt", "000101\n"), "names 000101 twice"),
    ("voc07", annotate(written.voc_object("unicorn", BOX)),
     "objects of a class that VOC does not have: 1, the first .*000003.xml (unicorn)"),
    ("voc07", annotate("<object><name>dog</name></object>"), "<object> has no bndbox/xmin"),
    ("voc12", append(f"{YEAR_12}/ImageSets/Segmentation/train.txt", "2009_000001\n"),
     "have 1 image in common, the first 2009_000001"),
    ("voc12", lose(f"{YEAR_12}/SegmentationClass/2008_000002.png"),
     "files that are listed and not there: 1"),
    ("voc12", spoil(f"{YEAR_12}/SegmentationClass/2008_000002.png"),
     "maps that cannot be decoded: 1"),
    ("voc12", lambda root: written.palette(
        root / YEAR_12 / "SegmentationClass/2008_000002.png", np.full((8, 9), 3, np.uint8)),
     "maps of another size than their image: 1, the first .*2008_000002.png of 9 x 8 px"),
    ("voc12", lambda root: written.palette(
        root / YEAR_12 / "SegmentationClass/2008_000002.png",
        np.full((HIGH, WIDE), 21, np.uint8)),
     "maps with classes that VOC does not have: 1, the first .*2008_000002.png (21)"),
    ("voc12", lambda root: written.image(
        root / YEAR_12 / "SegmentationClass/2008_000002.png"), "maps of colours"),
    ("voc12+sbd", spoil(f"{SBD}/cls/2010_000001.mat"), "maps that cannot be decoded: 1"),
    ("voc12+sbd", lambda root: savemat(root / SBD / "cls/2010_000001.mat", {"other": 1}),
     "maps that cannot be decoded: 1, the first .*2010_000001.mat (KeyError: 'GTcls')"),
    *(("voc12+sbd", write(f"{SBD}/cls/2010_000001.mat", bytes(count)),
       "maps that cannot be decoded: 1") for count in (0, 10, 200)),
    ("voc12+sbd", lose(f"{SBD}/train.txt"), "train.txt cannot be read"),
]  # fmt: skip
IMAGES = {"voc07": 6, "voc12": 4, "voc12+sbd": 7}


@pytest.mark.parametrize(
    ("sets", "damage", "said"),
    WRONG,
    ids=[f"{at} {case[2][:40]}" for at, case in enumerate(WRONG)],
)
def test_what_is_wrong_is_said_before_anything_runs(
    root: Path, sets: str, damage: Callable[[Path], None], said: str
) -> None:
    damage(root)
    pattern = re.escape(said).replace(r"\.\*", ".*")
    with pytest.raises(ConfigError, match=pattern) as error:
        read(root, sets, IMAGES[sets])
    assert "data.root: " in str(error.value)
    assert "put" in str(error.value), "there is a remedy"


def test_all_that_is_wrong_is_said_at_once(root: Path) -> None:
    for name in ("000001", "000002", "000101"):
        spoil(f"{YEAR_07}/JPEGImages/{name}.jpg")(root)
    with pytest.raises(ConfigError, match="images that cannot be decoded: 3, the first "):
        read(root, "voc07", 6)


def test_boxes_that_cannot_be_are_set_right_and_said(root: Path) -> None:
    annotate(
        written.voc_object("cat", (50, 40, 80, 60)),
        written.voc_object("cow", (30, 20, 20, 30)),
        written.voc_object("car", (45.7, 10.2, 50.1, 20)),
    )(root)
    assert [note.split(", the first")[0] for note in read(root, "voc07", 6)] == [
        "boxes beyond their image, cut at its edge: 1",
        "boxes of no area inside their image, left out: 1",
    ]
    splits = written.splits(
        written.planned(root, name="voc", sets="voc07", images=6, test=2), root
    )
    scenes = [part[at] for part in (splits.train, splits.validation) for at in range(len(part))]
    (scene,) = (scene for scene in scenes if scene.name == "000003.jpg")
    assert scene.boxes is not None
    np.testing.assert_allclose(scene.boxes, [[49, 39, 64, 48], [44.7, 9.2, 50.1, 20]])


def test_fewer_files_than_are_published_are_refused(root: Path) -> None:
    data = written.planned(root, name="voc", sets="voc12+sbd", test=2)
    assert data.train + data.validation == 10_582
    with pytest.raises(ConfigError, match=r"data\.images: there are 7 .* write images: 7"):
        written.splits(data, root)


def test_of_two_sizes_that_of_the_image_counts(root: Path) -> None:
    """An annotation that says a smaller image does not cut the boxes of the larger one."""
    path = root / YEAR_07 / "Annotations/000101.xml"
    written.voc_xml(path, written.voc_object("cat", (1, 1, WIDE, HIGH)), size=(9, 8))
    (note,) = read(root, "voc07", 6)
    assert re.match("annotations that say another size .*: 1, the first .*000101.jpg", note)
    data = written.planned(root, name="voc", sets="voc07", images=6, test=2)
    boxes = written.splits(data, root).test[0].boxes
    assert boxes is not None
    assert boxes.tolist() == [[0, 0, WIDE, HIGH]]
