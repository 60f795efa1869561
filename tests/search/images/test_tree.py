"""A tree of class folders: listed as torchvision lists it, and every wrong layout named."""

import os
import random
import re
import socket
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.images.tree import Files, Tree, read_tree
from search.schema.yaml import ConfigError

NAMES = [f"n{number:03}" for number in range(12)]


def place(key: str) -> str:
    return f"space.yaml:12: data.{key}"


def plant(root: Path, files: Iterable[str]) -> Path:
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def plain(root: Path, *, classes: Iterable[str] = NAMES, train: int = 8) -> Path:
    """`train` train images and two test images of each class; all are empty files."""
    for name in classes:
        plant(root, (f"train/{name}/{name}_{i}.JPEG" for i in range(train)))
        plant(root, (f"val/{name}/v{i}.JPEG" for i in range(2)))
    return root


def read(root: Path, **chosen: Any) -> Tree:
    return read_tree(
        root, **{"classes": None, "images_per_class": None, "place": place} | chosen
    )


def same(one: Files, other: Files) -> bool:
    equal = np.array_equal(one.labels, other.labels)
    return (one.folder, one.names) == (other.folder, other.names) and equal


def refusal(root: Path, **chosen: Any) -> str:
    before = sorted(root.rglob("*"))
    with pytest.raises(ConfigError) as caught:
        read(root, **chosen)
    assert sorted(root.rglob("*")) == before
    return str(caught.value)


def test_a_tree_is_listed_as_torchvision_lists_it(tmp_path: Path) -> None:
    from torchvision.datasets import ImageFolder  # noqa: PLC0415 - seconds

    plain(tmp_path)
    odd = ["b.PNG", "a.jpeg", "c.WebP", "Z.bmp", "0.ppm", "notes.txt", "jpg", "x.jpg.gz"]
    plant(tmp_path, [f"train/n005/{name}" for name in odd])
    (tmp_path / "train" / "n005" / "folder.jpg").mkdir()
    (tmp_path / "train" / "n006" / "link.jpg").symlink_to(tmp_path / "train/n005/a.jpeg")
    (tmp_path / "train" / "linked").symlink_to(tmp_path / "train" / "n001")
    (tmp_path / "val" / "linked").symlink_to(tmp_path / "val" / "n001")
    tree = read(tmp_path)
    for files, split in ((tree.train, "train"), (tree.test, "val")):
        theirs = ImageFolder(tmp_path / split)
        assert list(tree.classes) == theirs.classes
        assert [str(files.folder / name) for name in files.names] == [
            path for path, _ in theirs.samples
        ]
        assert files.labels.tolist() == theirs.targets
        assert files.labels.dtype == np.int64


def test_imagenette_is_listed_as_torchvision_lists_it(imagenette: Path) -> None:
    from torchvision.datasets import ImageFolder  # noqa: PLC0415 - seconds

    tree = read(imagenette)
    theirs = ImageFolder(imagenette / "train")
    assert tree.train.labels.tolist() == theirs.targets
    assert [str(imagenette / "train" / n) for n in tree.train.names] == [
        path for path, _ in theirs.samples
    ]


def test_hidden_and_foreign_files_are_left_aside(tmp_path: Path) -> None:
    plain(tmp_path)
    before = read(tmp_path)
    plant(tmp_path, ["train/.cache/x.jpg", "train/n000/._n000_1.JPEG", "train/n000/.DS_Store"])
    plant(tmp_path, ["train/loose.jpg", "val/labels.txt", "val/only here/x.jpg"])
    after = read(tmp_path)
    assert after.classes == before.classes
    assert same(after.train, before.train)
    assert same(after.test, before.test)


@pytest.mark.parametrize("target", ["loop", "gone", "n001_0.JPEG/x", "x" * 300])
@pytest.mark.parametrize("folder", ["train/n001", "val/n001", "train", "val"])
def test_links_that_lead_nowhere_end_no_study(tmp_path: Path, folder: str, target: str) -> None:
    """To themselves, to nothing, below a file, to a name that none can have."""
    plain(tmp_path)
    before = read(tmp_path)
    (tmp_path / folder / "loop").symlink_to(target)
    after = read(tmp_path)
    assert after.classes == before.classes
    assert same(after.train, before.train)
    assert same(after.test, before.test)
    files = after.train if folder.startswith("train") else after.test
    assert files.reasons["links that lead nowhere"] == 1


def test_links_that_lead_nowhere_are_counted_together(tmp_path: Path) -> None:
    plain(tmp_path)
    for name in ("train/n001/a.jpg", "train/n002/b", "train/c", "train/n003"):
        path = tmp_path / name
        path = path / "d.png" if path.is_dir() else path
        path.symlink_to(path.name)
    assert read(tmp_path).train.reasons == {"links that lead nowhere": 4}
    (tmp_path / "train" / "n003" / "d.png").rename(tmp_path / "train" / "n003" / ".d.png")
    assert read(tmp_path).train.reasons == {"links that lead nowhere": 3, "hidden": 1}


def test_a_folder_of_nothing_but_a_loop_is_named(tmp_path: Path) -> None:
    plant(plain(tmp_path), ["val/n012/x.jpg"])
    (tmp_path / "train" / "n012").mkdir()
    (tmp_path / "train" / "n012" / "loop").symlink_to("loop")
    assert "'n012' contains loop; put images directly into it" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["f.png", "f.txt", "f"])
def test_what_is_no_regular_file_is_counted_as_such_and_not_opened(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain(tmp_path)
    os.mkfifo(tmp_path / "train" / "n001" / name)
    (tmp_path / "train" / "n002" / "link.png").symlink_to(tmp_path / "train" / "n001" / name)
    (tmp_path / "train" / "n003" / "null.png").symlink_to("/dev/null")
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("train/n004/s.jpg")
    tree = read(tmp_path)
    assert tree.train.reasons == {"not a regular file": 4}
    assert same(
        tree.train, read(plain(tmp_path / "other")).train._replace(folder=tree.train.folder)
    )


@given(st.integers(1, 11), st.integers(1, 7))
def test_what_is_chosen_grows_with_the_number(
    tmp_path_factory: pytest.TempPathFactory, classes: int, images: int
) -> None:
    root = plain_once(tmp_path_factory)
    small = read(root, classes=classes, images_per_class=images)
    large = read(root, classes=classes + 1, images_per_class=images + 1)
    assert len(small.classes) == classes
    assert list(small.classes) == sorted(small.classes)
    assert set(small.classes) < set(large.classes)
    assert set(small.train.names) < set(large.train.names)
    assert list(small.train.names) == sorted(small.train.names)
    assert Counter(small.train.labels.tolist()) == dict.fromkeys(range(classes), images)
    assert Counter(small.test.labels.tolist()) == dict.fromkeys(range(classes), 2)
    for name, label in zip(small.train.names, small.train.labels, strict=True):
        assert name.startswith(f"{small.classes[label]}/")


def plain_once(factory: pytest.TempPathFactory) -> Path:
    root = factory.getbasetemp() / "plain"
    return root if root.exists() else plain(root)


def test_a_choice_is_the_same_for_every_study(tmp_path: Path) -> None:
    """Written down once: another choice would make studies of old and new incomparable."""
    tree = read(plain(tmp_path), classes=3, images_per_class=2)
    assert tree.classes == ("n000", "n002", "n008")
    assert [name[-6] for name in tree.train.names] == ["0", "2", "2", "4", "1", "2"]


def test_a_class_keeps_its_images_whatever_classes_are_beside_it(tmp_path: Path) -> None:
    plain(tmp_path)
    alone = read(tmp_path, classes=("n007",), images_per_class=3)
    beside = read(tmp_path, images_per_class=3)
    assert alone.train.names == beside.train.names[7 * 3 : 8 * 3]
    other = read(tmp_path, classes=("n008",), images_per_class=3)
    drawn = [{name[-6] for name in tree.train.names} for tree in (alone, other)]
    assert drawn[0] != drawn[1], "classes draw independently"


def test_a_list_and_names_choose_the_same(tmp_path: Path) -> None:
    plain(tmp_path)
    listed = tmp_path / "some.txt"
    listed.write_text("# of 12\n\nn007 tench, Tinca tinca\n  n001\n\t# n002\nn010 # last\n")
    by_list = read(tmp_path, classes=str(listed))
    by_name = read(tmp_path, classes=("n010", "n001", "n007"))
    assert by_list.classes == by_name.classes == ("n001", "n007", "n010")
    assert same(by_list.train, by_name.train)
    assert same(by_list.test, by_name.test)
    listed.write_text("\ufeffn003\r\nn004", encoding="utf-8")
    assert read(tmp_path, classes=str(listed)).classes == ("n003", "n004")


def test_wrong_layouts_say_what_is_there_and_what_is_wanted(tmp_path: Path) -> None:
    root = tmp_path / "set"
    wanted = "train/<class>/<image> and val/<class>/<image>"
    assert refusal(root) == (
        f"space.yaml:12: data.root: {root} is not there; give the folder that holds {wanted}"
    )
    plant(root, ["validation/a/x.jpg", "readme.txt"])
    assert refusal(root) == (
        f"space.yaml:12: data.root: {root} has no train/ and no val/; it contains readme.txt, "
        f"validation/; expected is {wanted}"
    )
    (root / "train").mkdir()
    assert "has no val/; it contains readme.txt, train/, validation/;" in refusal(root)
    (root / "val").mkdir()
    assert "train has no class folders; it contains nothing; expected is" in refusal(root)
    plant(root, [f"train/{number}.npy" for number in range(9)])
    assert "it contains 0.npy, 1.npy, 2.npy, 3.npy, 4.npy and 4 more;" in refusal(root)
    assert f"{root / 'readme.txt'} is a file; give the folder" in refusal(root / "readme.txt")


def test_flat_images_are_told_apart_from_an_empty_folder(tmp_path: Path) -> None:
    plant(tmp_path, ["train/a/x.jpg", "val/ILSVRC2012_val_00000001.JPEG"])
    message = refusal(tmp_path)
    assert (
        "val holds images but no class folders; sort them into one folder for each" in message
    )
    assert "ImageNet's are flat as they are downloaded" in message


def test_class_folders_without_images_are_named(tmp_path: Path) -> None:
    plain(tmp_path)
    for name in NAMES[:7]:
        for path in (tmp_path / "train" / name).iterdir():
            plant(tmp_path, [f"train/{name}/images/{path.name}"])
            path.unlink()
    message = refusal(tmp_path)
    assert "data.root: 7 class folders of" in message
    assert "'n000', 'n001', 'n002', 'n003', 'n004' and 2 more; 'n000' contains" in message
    assert "contains images/; put images directly into it" in message
    read(tmp_path, classes=("n007",))


def test_classes_that_are_not_tested_are_named(tmp_path: Path) -> None:
    plain(tmp_path)
    for name in NAMES[2:8]:
        (tmp_path / "val" / name).rename(tmp_path / "val" / f".{name}")
    assert (
        "val has no folder for 6 of the 12 classes of train: 'n002', 'n003', 'n004', 'n005', "
        "'n006' and 1 more; add"
    ) in refusal(tmp_path)
    assert "no folder for 1 of the 2 classes" in refusal(tmp_path, classes=("n001", "n002"))
    read(tmp_path, classes=("n001", "n009"))


def test_lists_are_refused_with_the_line(tmp_path: Path) -> None:
    root = plain(tmp_path / "set")
    path = tmp_path / "some.txt"
    listed = str(path)
    assert f"data.classes: {listed} cannot be read (No such file" in refusal(
        root, classes=listed
    )
    path.write_bytes(b"n001\n\xff\n")
    assert "cannot be read (not UTF-8 text); give a file" in refusal(root, classes=listed)
    path.write_text("# nothing\n\n")
    assert f"data.classes: {listed} names no class; name" in refusal(root, classes=listed)
    path.write_text("n001\nn0003\n" + "".join(f"x{i}\n" for i in range(5)))
    message = refusal(root, classes=listed)
    assert "data.classes: 6 of the 7 classes have no folder in" in message
    assert f"{listed}:2 'n0003' (did you mean 'n003'?), {listed}:3 'x0', " in message
    assert message.endswith(f"{listed}:6 'x3' and 1 more; correct or remove them")
    path.write_text("n001\n\nn002\nn001\n")
    expected = (
        f"data.classes: {listed}:4 'n001' is listed twice (first at {listed}:1); remove one"
    )
    assert refusal(root, classes=listed).endswith(expected)


def test_names_are_refused_with_what_was_meant(tmp_path: Path) -> None:
    plain(tmp_path)
    message = refusal(tmp_path, classes=("n001", "n0111", "boat"))
    assert "data.classes: 2 of the 3 classes have no folder in" in message
    assert message.endswith("'n0111' (did you mean 'n011'?), 'boat'; correct or remove them")
    assert "data.classes: 'n001' is listed twice;" in refusal(tmp_path, classes=("n001",) * 2)
    assert "data.classes: names no class; name some" in refusal(tmp_path, classes=())


@pytest.mark.parametrize("count", [13, 0, -1])
def test_more_classes_than_there_are(tmp_path: Path, count: int) -> None:
    message = refusal(plain(tmp_path), classes=count)
    expected = (
        rf"data\.classes: {count} is not from 1 to 12, the number of class folders of .*; "
        "change it"
    )
    assert re.search(expected, message)


def test_more_images_than_a_class_has(tmp_path: Path) -> None:
    plain(tmp_path)
    for name in ("n003", "n004"):
        (tmp_path / "train" / name / f"{name}_0.JPEG").unlink()
    (tmp_path / "train" / "n004" / "n004_1.JPEG").unlink()
    message = refusal(tmp_path, images_per_class=8)
    assert "data.images_per_class: 8 is not from 1 to 6, the images that " in message
    assert "n004 has (2 classes have fewer than 8); change it" in message
    assert "0 is not from 1 to 6" in refusal(tmp_path, images_per_class=0)
    read(tmp_path, images_per_class=8, classes=("n005", "n006"))


def test_no_image_is_opened_and_order_on_the_disk_does_not_matter(tmp_path: Path) -> None:
    """All are empty files; those of the second tree were made in another order."""
    names = [f"{split}/{c}/{i}.png" for split in ("train", "val") for c in "abc" for i in "123"]
    trees = []
    for part in ("one", "two"):
        trees.append(read(plant(tmp_path / part, names), images_per_class=2, classes=2))
        random.Random(0).shuffle(names)
    assert trees[0].train.names == trees[1].train.names
    assert trees[0].classes == trees[1].classes
