"""Each layout is read by a study of its task, through the door that everybody uses."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import search
from search.images.staging import stage
from search.schema.tasks import TASKS
from search.schema.yaml import ConfigError
from search.study.events import Status
from tests.search.scenes import written

pytest.importorskip("pycocotools", reason="is an extra")
WRITERS = {
    "voc07": written.voc,
    "voc12+sbd": written.voc,
    "boxes": written.coco,
    "masks": written.coco,
    "keypoints": written.coco,
    "pairs": written.saliency,
}
HEADS: dict[str, dict[str, Any]] = {
    "voc07": {"name": "detection", "channels": 8, "hidden": 16, "sampled": 16},
    "voc12+sbd": {"name": "segmentation", "channels": 4},
    "boxes": {"name": "detection", "channels": 8, "hidden": 16, "sampled": 16},
    "masks": {"name": "instances", "channels": 8, "hidden": 16, "sampled": 16},
    "keypoints": {"name": "keypoints", "channels": 4, "window": [32, 32], "sigma": 1.0},
    "pairs": {"name": "saliency", "channels": 4},
}
SPACE: dict[str, Any] = {
    "study": "layouts",
    "network": {
        "skeleton": "imagenet", "planes": 2, "depth": [[1, 1, 1, 1]], "width": 2, "scale": 2,
    },
    "training": {"epochs": 1, "batch_size": 2, "lr": 1e-3, "optimizer": "adamw",
                 "precision": "fp32"},
    "search": {"sampler": "grid"},
}  # fmt: skip


def _where_installed(name: str) -> Any:
    """A layout as a parameter, of tests that are skipped where its task cannot run."""
    needed = TASKS[HEADS[name]["name"]].libraries
    missing = pytest.mark.skipif(not all(map(find_spec, needed)), reason="needs an extra")
    return pytest.param(name, marks=missing)


HERE = [_where_installed(name) for name in WRITERS]


def space(name: str, root: Path) -> dict[str, Any]:
    seen = {} if name == "keypoints" else {"resolution": [64]}
    network = SPACE["network"] | seen
    data = dict(written.section(name, root))
    return {**SPACE, "network": network, "data": data, "task": HEADS[name]}


@pytest.mark.parametrize("name", HERE)
def test_a_study_trains_and_is_scored(tmp_path: Path, name: str) -> None:
    root = WRITERS[name](tmp_path / "data")
    result = search.run_study(space(name, root), out=tmp_path / "run", inline=True)
    (trial,) = result.trials
    assert trial.ended is not None
    assert trial.ended.status == Status.OK, trial.ended
    first = result.plan.metrics[0].name
    assert f"test_{first}" in trial.ended.metrics


@pytest.mark.parametrize("name", HERE)
def test_without_the_files_nothing_begins(tmp_path: Path, name: str) -> None:
    """The line says where they belong, and leads to the key."""
    with pytest.raises(ConfigError, match=r"data\.(root|train_pairs): .* is not there|read"):
        search.run_study(space(name, tmp_path / "none"), out=tmp_path / "run", inline=True)
    assert not (tmp_path / "run").exists()


def test_another_machine_says_what_it_lacks(tmp_path: Path) -> None:
    root = written.voc(tmp_path / "data")
    data = written.planned(root, name="voc", sets="voc07", images=6, test=2)
    stage(data, root)
    with pytest.raises(ConfigError, match=r"data\.root: .*VOC2007 is not there"):
        stage(data, tmp_path / "none")


@pytest.mark.parametrize(
    ("keys", "task", "said"),
    [
        ({"sets": "voc07"}, "segmentation", "data.sets: 'voc07' has no semantic.* voc12 or"),
        ({"sets": "voc12"}, "detection", "data.sets: 'voc12' has no boxes.* voc07 or voc07"),
        ({"sets": "voc12"}, "saliency", "data.name: 'voc' has no saliency.* saliency_pairs"),
        ({"sets": "voc08"}, "detection", "data.sets: 'voc08' is not one of voc; write voc07"),
        ({}, "detection", "data.sets: is missing"),
        ({"sets": "voc07", "classes": 3}, "detection", "data.classes: 3 is only for imagenet"),
        (
            {"sets": "voc07", "test_pair": ["a", "b"]},
            "detection",
            "data.test_pair: .* is only for",
        ),
        ({"sets": "voc07", "validation": 6000}, "detection", "more than the 5,011 training"),
    ],
)
def test_sets_go_with_their_task(keys: dict[str, Any], task: str, said: str) -> None:
    data = {"name": "voc", "validation": 500, **keys}
    with pytest.raises(ConfigError, match=said):
        search.load_space({**SPACE, "data": data, "task": {"name": task}})


def test_what_was_set_right_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = written.coco_object(1, 10, (50, 40, 20, 20))
    root = written.coco(tmp_path / "data", [outside, {**outside, "image_id": 2}])
    search.run_study(space("boxes", root), out=tmp_path / "run", inline=True, quiet=False)
    said = capsys.readouterr().out
    assert said.count("boxes beyond their image, cut at its edge: 2, the first ") == 1
