"""Keypoints scored by the boxes of a detector: as SimpleBaseline ranks and thins them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import search
from search.scenes.checking import read_through
from search.schema.data import PlannedData
from search.schema.yaml import ConfigError
from search.tasks.base import make_task
from search.tasks.keypoints.duplicates import sureness, without_duplicates
from search.tasks.keypoints.heatmaps import drawn
from search.tasks.keypoints.scoring import Found, labelled
from search.tasks.keypoints.windows import Window
from tests.search.scenes import written
from tests.search.spaces import resolved_of

pytest.importorskip("pycocotools", reason="is an extra")
pytest.importorskip("faster_coco_eval", reason="is an extra")
SPACE = """\
study: people
network: {{skeleton: imagenet, planes: 2, depth: [14], width: 2, scale: [2]}}
data: {data}
task: {{name: {task}, channels: 4}}
training: {{epochs: 1, batch_size: 2, precision: fp32}}
search: {{sampler: grid}}
"""
WINDOW = (64, 48)
PERSON, CAR = 10, 30  # as the files that are written here number them
# Of the third image nobody is labelled; the boxes are x, y, width and height.
PEOPLE = {1: [(4, 4, 24, 40), (30, 6, 30, 38)], 2: [(10, 3, 30, 40)], 3: []}
SIGMAS = (0.05, 0.1)


def folder(root: Path, results: Any = None) -> Path:
    """COCO with two people in one test image, one in the next, and nobody in the third."""
    written.coco(root)
    names = [f"v{at:011}.jpg" for at in PEOPLE]
    written.image(root / "val2017" / names[2], seed=9)
    people = [
        written.coco_object(image, PERSON, box, keypoints=joints(box), num_keypoints=17)
        for image, boxes in PEOPLE.items()
        for box in boxes
    ]
    path = root / "annotations" / "person_keypoints_val2017.json"
    written.coco_json(path, names, people, people=True)
    if results is not None:
        (root / "found.json").write_text(json.dumps(results))
    return root


def joints(box: Sequence[float]) -> list[float]:
    """Seventeen joints spread over a box."""
    x, y, wide, high = box
    spread = np.random.default_rng(0).random((17, 2)) * 0.8 + 0.1
    return [n for a, b in spread for n in (int(x + a * wide), int(y + b * high), 2)]


def box_of(image: int, box: Sequence[float], score: float = 1.0, **more: Any) -> dict[str, Any]:
    return {"image_id": image, "category_id": PERSON, "bbox": box, "score": score} | more


TRUE = [box_of(image, box) for image, boxes in PEOPLE.items() for box in boxes]


def data_of(root: Path, **keys: Any) -> PlannedData:
    keys = {"boxes": "found.json", "test": 3} | keys
    return written.planned(root, name="coco", sets="keypoints", images=5, **keys)


class Seer:
    """Says of each window around one of these boxes where the joints of that person are."""

    def __init__(self, boxes: Sequence[Sequence[float]]) -> None:
        self._maps = []
        for box in boxes:
            x, y, wide, high = box
            window = Window.around((x, y, x + wide, y + high), WINDOW)
            points = torch.tensor(joints(box), dtype=torch.float64).view(17, 3)[:, :2] + 0.5
            there = window.from_image(points, WINDOW)
            self._maps.append(drawn(2 * there, shape=(128, 96), sigma=2.0))

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        start, self._maps = self._maps[: len(images)], self._maps[len(images) :]
        return torch.stack(start)


def scores(root: Path, seen: Sequence[Any], **keys: Any) -> dict[str, float]:
    data = {"name": "coco", "root": str(root), "sets": "keypoints", "images": 5}
    data |= {"validation": 2, "test": 3, "boxes": "found.json"} | keys
    data = {key: value for key, value in data.items() if value is not None}
    text = SPACE.format(data=json.dumps(data), task="keypoints, window: [64, 48]")
    task = make_task(resolved_of(root, text).plan, str(root), device=torch.device("cpu"))
    found: dict[str, float] = task.scores(Seer(seen), "test")
    return found


def boxes_of(results: Sequence[Any]) -> list[Any]:
    """In the order of the images, as they are looked at."""
    ordered = sorted(results, key=lambda one: one["image_id"])
    return [one["bbox"] for one in ordered if one["category_id"] == PERSON]


def test_true_boxes_of_a_sure_detector_score_as_true_boxes_do(tmp_path: Path) -> None:
    root = folder(tmp_path, [*TRUE, box_of(3, (0, 0, 9, 9), category_id=CAR)])
    true = scores(root, boxes_of(TRUE), boxes=None, test=2)
    assert scores(root, boxes_of(TRUE)) == pytest.approx(true, abs=1e-9)
    assert true["ap"] == pytest.approx(100.0)


def test_what_is_nobody_costs_as_much_as_the_detector_is_sure(tmp_path: Path) -> None:
    """Also in an image without people, which only counts with detected boxes."""
    wrong = box_of(3, (5, 5, 20, 30))
    for score, least, most in ((1.5, 20.0, 80.0), (0.1, 100.0, 100.0)):
        results = [*TRUE, wrong | {"score": score}]
        root = folder(tmp_path / str(score), results)
        assert least <= scores(root, boxes_of(results))["ap"] <= most + 1e-9


def test_who_is_not_detected_is_not_found(tmp_path: Path) -> None:
    root = folder(tmp_path, TRUE[1:])
    assert scores(root, boxes_of(TRUE[1:]))["ap"] == pytest.approx(200 / 3, abs=1.5)


def test_a_person_who_is_detected_twice_counts_once(tmp_path: Path) -> None:
    results = [TRUE[0], *TRUE]
    root = folder(tmp_path, results)
    assert scores(root, boxes_of(results))["ap"] == pytest.approx(100.0)


def found(points: Any, sure: float, *, scene: int = 0, area: float = 100.0) -> Found:
    return Found(scene, np.asarray(points, float), sure, area)


def test_only_the_surest_of_two_alike_is_kept() -> None:
    one = found([(0, 0), (9, 9)], 0.5)
    better = found([(0.1, 0), (9, 9)], 0.7)
    elsewhere = found([(5, 0), (9, 4)], 0.3)
    other = found([(0, 0), (9, 9)], 0.4, scene=1)
    kept = without_duplicates([one, better, elsewhere, other], SIGMAS)
    assert [id(each) for each in kept] == [id(each) for each in (better, elsewhere, other)]


@pytest.mark.parametrize("away", [0.0, 0.3, 0.5, 0.7, 3.0])
def test_alike_is_what_coco_s_similarity_says(away: float) -> None:
    """The areas of the two in the place of the true one's, as published."""
    similarity = np.mean(
        [np.exp(-(away**2) / (2 * 250.0 * (2 * sigma) ** 2)) for sigma in SIGMAS]
    )
    pair = [
        found([(0, 0), (9, 9)], 0.5, area=100.0),
        found([(away, 0), (9 + away, 9)], 0.4, area=400.0),
    ]
    assert len(without_duplicates(pair, SIGMAS)) == (1 if similarity > 0.9 else 2)


def test_joints_that_are_hardly_seen_say_nothing() -> None:
    heights = torch.tensor([0.9, 0.5, 0.2, 0.1])
    assert sureness(heights, 0.5) == pytest.approx(0.35)
    assert sureness(heights[2:], 0.5) == 0.0


@pytest.mark.parametrize(
    ("results", "said"),
    [
        (None, r"found.json cannot be read .*below data.root"),
        ({"images": []}, r"found.json is not a list of results; give a detector's"),
        ([{"image_id": 1}], r"its entry 0 has no category_id"),
        ([TRUE[0], {**TRUE[0], "bbox": [1, 2, 3]}], r"its entry 1 cannot be read"),
        ([{**TRUE[0], "bbox": [1, 2, -3, 4]}], r"its entry 0 cannot be read .*below 0"),
        ([{**TRUE[0], "score": "high"}], r"its entry 0 cannot be read"),
        ([{**TRUE[0], "image_id": [1]}], r"its entry 0 cannot be read"),
        (["person"], r"its entry 0 cannot be read"),
        (
            [*TRUE, box_of(77, (1, 1, 5, 5))],
            r"1 of its boxes are of images .* image_id 77",
        ),
        ([box_of(1, (1, 1, 5, 5), category_id=CAR)], r"has no box of a person"),
        ([], r"has no box of a person"),
    ],
)
def test_a_file_that_is_no_such_results_is_refused(
    results: Any, said: str, tmp_path: Path
) -> None:
    root = folder(tmp_path, results)
    with pytest.raises(ConfigError, match=f"(?s)^data.boxes: .*{said}"):
        read_through(data_of(root), root, advance=lambda done, total: None)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    root = folder(tmp_path, TRUE)
    (root / "found.json").write_text("[{")
    with pytest.raises(ConfigError, match=r"data.boxes: .*found.json is damaged"):
        read_through(data_of(root), root, advance=lambda done, total: None)


@pytest.mark.parametrize(
    ("data", "task", "said"),
    [
        ("{name: coco, sets: boxes, validation: 2, boxes: x}", "detection", (
            "is only for sets: key"
        )),
        ("{name: digit_scenes, validation: 2, boxes: x}", "keypoints", "is only for sets: key"),
        ("{name: coco, sets: keypoints, validation: 2, boxes: x}", "detection",
         "is not used by detection"),
    ],
)  # fmt: skip
def test_boxes_are_for_people_with_joints(
    data: str, task: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=rf"data.boxes: .*{said}"):
        resolved_of(tmp_path, SPACE.format(data=data, task=task))


def test_with_boxes_every_image_of_the_test_counts(tmp_path: Path) -> None:
    data = "{name: coco, sets: keypoints, validation: 2000%s}"
    counts = [
        resolved_of(tmp_path, SPACE.format(data=data % more, task="keypoints")).plan.data.test
        for more in ("", ", boxes: found.json")
    ]
    assert counts == [2346, 5000]


def test_validation_is_scored_by_true_boxes(tmp_path: Path) -> None:
    root = folder(tmp_path, TRUE)
    splits = written.splits(data_of(root), root)
    assert len(splits.detected) == len(splits.test) == 3
    assert [len(one.boxes) for one in splits.detected] == [2, 1, 0]
    assert all(labelled(splits.validation[row]) for row in range(len(splits.validation)))


def test_a_study_is_scored_by_them(tmp_path: Path) -> None:
    root = folder(tmp_path / "data", TRUE)
    data = {"name": "coco", "root": str(root), "sets": "keypoints", "images": 5, "test": 3}
    data |= {"validation": 2, "boxes": "found.json"}
    text = SPACE.format(data=json.dumps(data), task="keypoints, window: [32, 24]")
    (tmp_path / "space.yaml").write_text(text)
    result = search.run_study(tmp_path / "space.yaml", out=tmp_path / "run", inline=True)
    (trial,) = result.trials
    assert trial.ended is not None
    assert trial.ended.status == "ok", trial.ended
    assert "test_ap" in trial.ended.metrics
