"""Folders of images and maps, as the sets of saliency have them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import search
from search.scenes.checking import read_through
from search.schema.yaml import ConfigError
from tests.search.scenes import written
from tests.search.scenes.test_studies import SPACE
from tests.search.spaces import resolved_of

MASKS = "DUTS-TR/DUTS-TR-Mask"


def space(root: Path, **data: Any) -> dict[str, Any]:
    section = dict(written.section("pairs", root)) | data
    task = {"name": "saliency", "channels": 4}
    return {**SPACE, "data": {k: v for k, v in section.items() if v is not None}, "task": task}


def plan(root: Path, **data: Any) -> Any:
    import json  # noqa: PLC0415 - YAML reads it

    folder = root.parent / "space"
    folder.mkdir(exist_ok=True)
    return resolved_of(folder, json.dumps(space(root, **data))).plan


def test_maps_are_those_of_the_same_name(tmp_path: Path) -> None:
    root = written.saliency(tmp_path / "data")
    data = plan(root, test=None).data
    assert (data.train, data.validation, data.test) == (4, 2, 2), "counted by a look"
    splits = written.splits(data, root)
    for at in range(2):
        scene = splits.test[at]
        assert scene.name == f"{at}.jpg"
        wanted = np.asarray(Image.open(root / "ECSSD/ground_truth_mask" / f"{at}.png"))
        assert scene.saliency is not None
        np.testing.assert_array_equal(scene.saliency, wanted)


def test_one_folder_may_hold_both_and_a_list_chooses(tmp_path: Path) -> None:
    """As MSRA-B lies, whose parts are lists of names."""
    root = written.saliency(tmp_path / "data")
    for path in (root / MASKS).iterdir():
        name = path.name.replace("4.", "an image.no 4.")
        path.rename(root / "DUTS-TR/DUTS-TR-Image" / name)
    four = root / "DUTS-TR/DUTS-TR-Image/4.jpg"
    four.rename(four.with_name("an image.no 4.jpg"))
    (root / "some.txt").write_text("an image.no 4\n1\n\n3.png \n", encoding="utf-8")
    folder = "DUTS-TR/DUTS-TR-Image"
    data = plan(root, train_pairs=[[folder, folder, "some.txt"]], validation=1).data
    splits = written.splits(data, root)
    parts = (splits.train, splits.validation)
    names = {part[at].name for part in parts for at in range(len(part))}
    assert names == {"1.jpg", "3.jpg", "an image.no 4.jpg"}


def test_a_plan_needs_no_files_where_the_numbers_are_written(tmp_path: Path) -> None:
    data = plan(tmp_path / "none", images=10_553, test=1000).data
    assert data.train == 10_551
    with pytest.raises(ConfigError, match=r"data\.train_pairs: .*DUTS-TR-Image is not there"):
        plan(tmp_path / "none")


def read(data: Any, root: Path) -> tuple[str, ...]:
    return read_through(data, root, advance=lambda done, total: None)


def save(path: str, pixels: Any) -> Callable[[Path], None]:
    return lambda root: Image.fromarray(np.asarray(pixels, np.uint8)).save(root / path)


WRONG: list[tuple[dict[str, Any], Callable[[Path], None], str]] = [
    ({}, lambda root: (root / MASKS / "3.png").unlink(),
     "data.train_pairs: images of .* without a map in .*: 1, such as 3"),
    ({}, lambda root: (root / "DUTS-TR/DUTS-TR-Image/3.jpg").unlink(),
     "data.train_pairs: maps in .* without an image: 1, such as 3"),
    ({}, lambda root: (root / MASKS / "3.png").write_bytes(b"no image"),
     "data.root: maps that cannot be decoded: 1"),
    ({}, lambda root: (root / "ECSSD/images/1.jpg").write_bytes(b"no image"),
     "data.root: images that cannot be decoded: 1"),
    ({}, save(f"{MASKS}/3.png", np.zeros((9, 8))), "maps of another size than their image"),
    ({}, save(f"{MASKS}/3.png", np.eye(48, 64)), "data.root: maps whose values are 0 and 1"),
    ({"test_pair": ["DUTS-TR/DUTS-TR-Image", MASKS], "test": 6}, lambda root: None,
     "data.train_pairs: images that are in two of the sets: 6"),
    ({"test": 3}, lambda root: None, "data.test: 3 images are expected, but 2 are there"),
    ({"images": 7}, lambda root: None, "data.images: 7 images are expected, but 6 are there"),
    ({"validation": 6}, lambda root: None, "data.validation: validation 6 + train 1 is more"),
    ({"test_pair": ["none", "none"]}, lambda root: None, "data.test_pair: .*none is not there"),
    ({"test_pair": ["one"]}, lambda root: None, "data.test_pair: .*is not a pair of folders"),
    ({"train_pairs": None}, lambda root: None, "data.train_pairs: is missing"),
    ({"train_pairs": ["a", "b"]}, lambda root: None, (
        "data.train_pairs: .*is not a list of pairs"
    )),
    ({"sets": "voc07"}, lambda root: None, "data.sets: .*is only for voc and coco"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "damage", "said"),
    WRONG,
    ids=[f"{at} {case[2][:40]}" for at, case in enumerate(WRONG)],
)
def test_what_is_wrong_is_said_before_anything_runs(
    tmp_path: Path, keys: dict[str, Any], damage: Callable[[Path], None], said: str
) -> None:
    root = written.saliency(tmp_path / "data")
    damage(root)
    with pytest.raises(ConfigError, match=re.escape(said).replace(r"\.\*", ".*")):
        read(plan(root, **keys).data, root)


def test_the_place_of_a_damaged_file_is_the_line_of_the_space_file(tmp_path: Path) -> None:
    root = written.voc(tmp_path / "data")
    (root / "VOCdevkit/VOC2007/JPEGImages/000001.jpg").unlink()
    data = dict(written.section("voc07", root))
    path = tmp_path / "space.yaml"
    path.write_text(
        "study: s\nnetwork: {skeleton: imagenet, depth: [14], width: 2, scale: 2}\ndata:\n"
        + "".join(f"  {key}: {value}\n" for key, value in data.items())
        + "task: detection\ntraining: {epochs: 1, batch_size: 2}\nsearch: {sampler: grid}\n"
        "resources: {gpu: 0}\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match=r"space\.yaml:4: data\.root: images that are listed"):
        search.run_study(path, out=tmp_path / "run", inline=True)
