"""Keypoints: windows there and back, heatmaps, and COCO's AP as COCO's own code has it."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from search.scenes.scene import Part, Scene
from search.tasks.keypoints.heatmaps import drawn, peaks
from search.tasks.keypoints.scoring import (
    COCO_JOINTS,
    Found,
    average_precision,
    labelled,
    results,
    sigmas_of,
    truth,
)
from search.tasks.keypoints.windows import Window, mirrored
from search.tasks.scenes import Example, SceneBatch
from tests.search.tasks.dense import Listed, Said, image_of, plan_of, task_of

JOINTS = Listed.joints


def scene_of(rng: np.random.Generator, count: int = 6, side: int = 300) -> Scene:
    """Objects of all sizes, the last a crowd, and one without a known point."""
    corners = rng.uniform(0, side / 2, (count, 2))
    sides = np.exp(rng.uniform(np.log(10), np.log(side / 2), (count, 2)))
    boxes = np.concatenate([corners, corners + sides], axis=1).astype(np.float32)
    points = corners[:, None] + rng.random((count, 2, 2)) * sides[:, None]
    seen = rng.integers(1, 3, (count, 2, 1)).astype(float)
    seen[0] = 0
    crowd = np.zeros(count, bool)
    crowd[-1] = True
    return Scene(
        name="objects",
        image=image_of(rng, side, side),
        boxes=boxes,
        labels=np.zeros(count, np.int64),
        crowd=crowd,
        areas=(sides.prod(1) * 0.6).astype(np.float32),
        keypoints=np.concatenate([points, seen], axis=2).astype(np.float32),
    )


def found_in(part: Part, rng: np.random.Generator) -> list[Found]:
    """The truth, more or less."""
    found = []
    for row in range(len(part)):
        scene = part[row]
        assert scene.keypoints is not None
        assert scene.areas is not None
        for at in labelled(scene):
            off = rng.normal(0, 0.1 * math.sqrt(scene.areas[at]), (2, 2))
            found.append(Found(row, scene.keypoints[at, :, :2] + off, float(rng.random())))
    return found


def by_coco(wanted: dict[str, Any], found: list[dict[str, Any]]) -> list[float]:
    """AP, AP50, AP75, of medium and of large ones, by pycocotools."""
    there = COCO()
    there.dataset = wanted
    there.createIndex()
    scorer = COCOeval(there, there.loadRes(found), "keypoints")
    scorer.params.kpt_oks_sigmas = np.array(sigmas_of(JOINTS))
    scorer.evaluate()
    scorer.accumulate()
    scorer.summarize()
    return [100 * each for each in scorer.stats[:5]]


@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_the_scores_are_those_of_coco_s_own_code(scale: float) -> None:
    rng = np.random.default_rng(0)
    part = Part(Listed([scene_of(rng) for _ in range(5)]), range(5))
    wanted, found = truth(part, JOINTS, scale), results(found_in(part, rng), scale)
    ours = average_precision(wanted, found, sigmas_of(JOINTS))
    names = ("ap", "ap50", "ap75", "ap_medium", "ap_large")
    said = [-100.0 if ours[name] is None else ours[name] for name in names]
    assert said == pytest.approx(by_coco(wanted, found), abs=1e-6)
    assert 5 < said[0] < 95, "neither all right nor all wrong"


def test_a_larger_scale_moves_objects_to_larger_sizes_and_changes_nothing_else() -> None:
    rng = np.random.default_rng(1)
    part = Part(Listed([scene_of(rng) for _ in range(4)]), range(4))
    found, sigmas = found_in(part, rng), sigmas_of(JOINTS)
    one, ten = (
        average_precision(truth(part, JOINTS, scale), results(found, scale), sigmas)
        for scale in (1.0, 10.0)
    )
    assert one["ap"] == pytest.approx(ten["ap"])
    assert one["ap_small"] is not None
    assert ten["ap_small"] is None, "none is small any more"
    assert one["ap_large"] is None
    assert ten["ap_large"] is not None


def test_sigmas_are_coco_s_for_coco_s_people_alone() -> None:
    people = sigmas_of([name.replace(" ", "_") for name in COCO_JOINTS])
    scorer = COCOeval(iouType="keypoints")
    assert people == pytest.approx(scorer.params.kpt_oks_sigmas)
    assert sigmas_of(JOINTS) == (0.1, 0.1)


def test_points_come_back_from_a_turned_window() -> None:
    window = Window.around((10, 20, 50, 60), (64, 48)).moved(factor=0.8, turned=0.5)
    points = torch.rand(20, 2, generator=torch.Generator().manual_seed(0)).double() * 100
    there = window.from_image(points, (64, 48))
    assert torch.allclose(window.to_image(there, (64, 48)), points)
    assert torch.allclose(
        window.from_image(torch.tensor([[30.0, 40.0]]), (64, 48)), torch.tensor([[24.0, 32.0]])
    )


def test_a_window_is_as_wide_as_its_form_and_its_box_want() -> None:
    window = Window.around((0, 0, 30, 80), (64, 48))
    assert (window.high, window.wide) == (100.0, 75.0)
    assert Window.around((0, 0, 60, 8), (64, 48)).wide == 75.0


def test_what_a_window_shows_lies_where_its_points_are() -> None:
    """A bright pixel of the image is found where the window says that it is."""
    image = torch.zeros(1, 64, 64)
    image[0, 40, 25] = 1.0
    window = Window(30.0, 35.0, 32.0, 32.0, turned=0.4)
    cut = window.cut(image, (64, 64))[0]
    points, _ = peaks(cut)
    middle = window.from_image(torch.tensor([25.5, 40.5]), (64, 64))
    assert torch.allclose(points, middle, atol=1.0)


def test_a_mirrored_object_is_the_object_of_the_mirrored_image() -> None:
    points = torch.tensor([[10.0, 20.0, 2.0], [30.0, 40.0, 1.0]])
    image, box, moved = mirrored(torch.rand(3, 50, 80), (10, 20, 30, 40), points, (1, 0))
    assert image.shape == (3, 50, 80)
    assert box == (50.0, 20.0, 70.0, 40.0)
    assert moved.tolist() == [[50.0, 40.0, 1.0], [70.0, 20.0, 2.0]]


def test_a_peak_is_where_the_point_was_to_half_a_pixel() -> None:
    points = torch.tensor([[4.3, 7.8], [0.2, 0.9], [11.9, 15.7]])
    maps = drawn(points, shape=(16, 12), sigma=1.5)
    assert maps.shape == (3, 16, 12)
    found, heights = peaks(maps)
    assert (found - points).abs().max() <= 0.5
    assert (heights > 0.9).all()
    inner = found[0].tolist()
    assert inner == [4.25, 7.75], "a quarter of a pixel towards the higher neighbour"


def test_who_is_right_scores_a_hundred(tmp_path: Path) -> None:
    """Through windows and heatmaps of half a pixel of the window, and back."""
    rng = np.random.default_rng(0)
    scene = scene_of(rng)
    plan = plan_of(tmp_path, "keypoints", "task.window=[64, 64]")
    task = task_of(plan, [scene])
    assert scene.boxes is not None
    assert scene.keypoints is not None
    maps = []
    for at in labelled(scene):
        window = Window.around(scene.boxes[at], (64, 64))
        there = window.from_image(torch.from_numpy(scene.keypoints[at, :, :2]), (64, 64))
        maps.append(drawn(2 * there, shape=(128, 128), sigma=2.0))
    scores = task.scores(Said(torch.stack(maps)), "validation")
    assert {scores[name] for name in ("ap", "ap50", "ap75", "ap_medium")} == {100.0}


def test_points_outside_of_the_window_do_not_count(tmp_path: Path) -> None:
    task = task_of(plan_of(tmp_path, "keypoints"), [scene_of(np.random.default_rng(0))])
    points, known = torch.tensor([[8.0, 8.0], [40.0, 8.0]]), torch.tensor([True, False])
    example = Example(torch.zeros(3, 32, 32), {"points": points, "known": known})
    said = torch.zeros(1, 2, 8, 8)
    said[0, 1] = 100.0
    right = drawn(points[:1] / 4, shape=(8, 8), sigma=1.0)
    expected = right.square().mean().item() / 2  # of two points
    loss = task.loss(Said(said), SceneBatch([example])).item()
    assert loss == pytest.approx(expected, rel=1e-6)


def test_a_scene_without_known_points_teaches_nothing(tmp_path: Path) -> None:
    scene = scene_of(np.random.default_rng(0), count=1)
    task = task_of(plan_of(tmp_path, "keypoints"), [scene])
    (batch,) = task.batches(torch.Generator().manual_seed(0), start=0)
    assert not batch.examples[0].target["known"].any()
    assert task.loss(Said(torch.ones(1, 2, 8, 8)), batch).item() == 0.0


def test_scored_with_mirror_images_left_and_right_change_places(tmp_path: Path) -> None:
    """Of two bright pixels of an object the left one is its left joint, in each picture."""
    window = 32
    rng = np.random.default_rng(0)
    image = np.zeros((window, window, 3), np.uint8)
    points = np.array([[[6.5, 10.5, 2], [20.5, 24.5, 2]]], np.float32)
    for x, y, _ in points[0]:
        image[int(y), int(x)] = 255
    box = np.array([[4.0, 4.0, 28.0, 28.0]], np.float32)
    scene = Scene(
        name="two", image=image, boxes=box, labels=np.zeros(1, np.int64),
        crowd=np.zeros(1, bool), areas=np.array([400.0], np.float32), keypoints=points,
    )  # fmt: skip
    seen: list[torch.Tensor] = []

    def forward(images: torch.Tensor) -> torch.Tensor:
        """Heatmaps of what is bright in the left half, and of what is in the right one."""
        seen.append(images)
        bright = images[:, 0] - images[:, 0].amin()
        half = bright.shape[2] // 2
        left, right = bright.clone(), bright.clone()
        left[:, :, half:] = 0
        right[:, :, :half] = 0
        noise = torch.from_numpy(rng.normal(0, 1e-4, (2, *bright.shape))).float()
        return torch.stack([left, right], dim=1) + noise.transpose(0, 1)

    plain, both = (
        task_of(plan_of(tmp_path, "keypoints", f"task.flip_test={flip}"), [scene])
        for flip in ("false", "true")
    )
    assert plain.scores(forward, "validation")["ap"] == pytest.approx(100)
    assert len(seen) == 1
    assert both.scores(forward, "validation")["ap"] == pytest.approx(100)
    assert len(seen) == 3
    assert torch.equal(seen[2], seen[1].flip(3))
