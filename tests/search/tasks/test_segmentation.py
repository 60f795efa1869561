"""Segmentation: mean IoU of a whole split, by hand; what is ignored counts nowhere."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch
from torch.nn import functional as F

from res2net import build, parse
from search.scenes.scene import IGNORED, Scene
from search.tasks.base import DivergedError
from search.tasks.scenes import Example, SceneBatch
from search.tasks.segmentation import Segmenter
from tests.search.tasks.dense import Said, image_of, plan_of, task_of

SIZES = ((32, 32), (32, 20), (32, 32))
CLASSES = 3  # with the background


def scenes(rng: np.random.Generator) -> list[Scene]:
    """The second is narrow and alone has class 2; a fifth of the pixels is ignored."""
    found = []
    for number, (high, wide) in enumerate(SIZES):
        semantic = rng.integers(0, 2 + (number == 1), (high, wide)).astype(np.uint8)
        semantic[rng.random((high, wide)) < 0.2] = IGNORED
        found.append(
            Scene(name=str(number), image=image_of(rng, high, wide), semantic=semantic)
        )
    return found


def by_hand(said: np.ndarray, scenes: list[Scene]) -> float:
    """Of each class what is said and right over what is said or right, in all images."""
    both, either = np.zeros(CLASSES), np.zeros(CLASSES)
    for answer, scene in zip(said, scenes, strict=True):
        truth = scene.semantic
        assert truth is not None
        high, wide = truth.shape
        best, counts = answer[:, :high, :wide].argmax(0), truth != IGNORED
        for kind in range(CLASSES):
            there, found = counts & (truth == kind), counts & (best == kind)
            both[kind] += (there & found).sum()
            either[kind] += (there | found).sum()
    return float(100 * (both / either).mean())


def test_the_score_is_the_mean_iou_of_all_pixels(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    given = scenes(rng)
    task = task_of(plan_of(tmp_path, "segmentation"), given)
    said = rng.normal(size=(len(SIZES), CLASSES, 32, 32)).astype(np.float32)
    score = task.scores(Said(torch.from_numpy(said)), "validation")
    assert score == {"miou": pytest.approx(by_hand(said, given), abs=1e-5)}


def test_where_no_pixel_counts_nothing_is_told(tmp_path: Path) -> None:
    given = scenes(np.random.default_rng(0))
    nothing = [replace(one, semantic=np.full_like(one.semantic, IGNORED)) for one in given]
    task = task_of(plan_of(tmp_path, "segmentation"), nothing)
    said = torch.zeros(len(SIZES), CLASSES, 32, 32)
    assert task.scores(Said(said), "validation") == {"miou": None}


@pytest.mark.parametrize("stride", [16, pytest.param(8, marks=pytest.mark.slow)])
def test_with_resnet_50_it_is_deeplabv3plus_of_its_library(tmp_path: Path, stride: int) -> None:
    """Same weights, same logits and loss; but it dilates the first block of a stage too."""
    torch.manual_seed(0)
    theirs = smp.DeepLabV3Plus(
        "resnet50", encoder_weights=None, encoder_output_stride=stride, classes=5
    ).eval()
    for number in (3, 4) if stride == 8 else (4,):  # as torchvision and timm have it
        first = getattr(theirs.encoder, f"layer{number}")[0].conv2
        dilation = 1 if number == 3 or stride == 16 else 2
        first.dilation = first.padding = (dilation, dilation)
    encoder = theirs.encoder.state_dict()
    named = {name: value for name, value in encoder.items() if not name.startswith("fc.")}
    named |= {"fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)}
    torch.save(named, tmp_path / "resnet50.pth")
    ours = Segmenter(
        parse("ResNet-50"), classes=5, channels=256, output_stride=stride, seed=0
    ).eval()
    loaded = build(
        "ResNet-50", features=(1, 2, 3, 4), output_stride=stride,
        weights=tmp_path / "resnet50.pth",
    )  # fmt: skip
    ours.backbone.load_state_dict(loaded.state_dict())
    ours.decoder.load_state_dict(theirs.decoder.state_dict())
    head = theirs.segmentation_head.state_dict()
    ours.classifier.load_state_dict({name.removeprefix("0."): v for name, v in head.items()})
    images, classes = torch.rand(2, 3, 64, 64), torch.randint(5, (2, 64, 64))
    with torch.no_grad():
        said, wanted = ours(images), theirs(images)
    torch.testing.assert_close(said, wanted, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        F.cross_entropy(said, classes), F.cross_entropy(wanted, classes), rtol=1e-5, atol=1e-6
    )


def test_who_is_right_of_all_scores_a_hundred(tmp_path: Path) -> None:
    given = scenes(np.random.default_rng(1))
    task = task_of(plan_of(tmp_path, "segmentation"), given)
    right = torch.zeros(len(given), 32, 32, dtype=torch.long)
    for row, scene in enumerate(given):
        truth = torch.from_numpy(scene.semantic).long()
        right[row, : truth.shape[0], : truth.shape[1]] = truth * (truth != IGNORED)
    said = F.one_hot(right, CLASSES).permute(0, 3, 1, 2).float()
    assert task.scores(Said(said), "test") == {"miou": 100.0}


def test_images_of_another_size_are_scored_at_their_own(tmp_path: Path) -> None:
    """Left half 0, right half 1, seen at half of its size: told apart to the pixel."""
    rng, truth = np.random.default_rng(0), np.zeros((64, 64), np.uint8)
    truth[:, 32:] = 1
    scene = Scene(name="halves", image=image_of(rng, 64, 64), semantic=truth)
    task = task_of(plan_of(tmp_path, "segmentation"), [scene])
    said = torch.zeros(1, CLASSES, 32, 32)
    said[:, 0, :, :16] = said[:, 1, :, 16:] = 1.0
    assert task.scores(Said(said), "validation") == {"miou": 100.0}


def test_a_network_that_puts_out_no_numbers_has_diverged(tmp_path: Path) -> None:
    task = task_of(plan_of(tmp_path, "segmentation"), scenes(np.random.default_rng(0)))
    with pytest.raises(DivergedError, match="not finite"):
        task.scores(Said(torch.full((3, CLASSES, 32, 32), math.nan)), "validation")


def test_the_loss_is_the_mean_of_what_counts(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    task = task_of(plan_of(tmp_path, "segmentation"), scenes(rng))
    truth = torch.from_numpy(rng.integers(0, CLASSES, (2, 32, 32))).to(torch.uint8)
    truth[:, :7] = IGNORED
    batch = SceneBatch([Example(torch.zeros(3, 32, 32), {"map": one}) for one in truth])
    logits = torch.randn(2, CLASSES, 32, 32, generator=torch.Generator().manual_seed(0))
    expected = F.cross_entropy(logits[:, :, 7:], truth[:, 7:].long())
    assert task.loss(Said(logits), batch).item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_crop_has_one_size_and_marks_what_is_outside(tmp_path: Path) -> None:
    """An image and its map are moved alike: here each says what the other is."""
    semantic = np.zeros((24, 40), np.uint8)
    semantic[:, 20:] = 1
    image = np.repeat(255 * semantic[..., None], 3, axis=2)
    scene = Scene(name="halves", image=image, semantic=semantic)
    plan = plan_of(tmp_path, "segmentation", "training.flip=true", "training.batch_size=2")
    task = task_of(plan, [scene] * 8)
    generator = torch.Generator().manual_seed(0)
    batches = list(task.batches(generator, start=0))
    assert len(batches) == task.steps == 4
    examples = [example for batch in batches for example in batch.examples]
    for image, target in examples:
        found, wanted = image[0], target["map"]
        assert found.shape == wanted.shape == (32, 32)
        sure = (found > 2) | (found < -2)  # away from the edge between the halves
        inside = sure & (wanted != IGNORED)
        assert ((found[inside] > 0) == (wanted[inside] == 1)).float().mean() > 0.98
        outside = wanted == IGNORED
        assert not outside.any() or found[outside].abs().median() < 1e-6
    assert any((target["map"] == IGNORED).any() for _, target in examples)
    left = {bool(example.target["map"][16, 0] == 1) for example in examples}
    assert left == {True, False}, "some are mirrored"
