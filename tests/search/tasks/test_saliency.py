"""Saliency: scored as pysodmetrics does, and every side output is trained."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from res2net import Architecture
from search.scenes.scene import Scene
from search.tasks.saliency import SaliencyNetwork
from search.tasks.scenes import Example, SceneBatch
from tests.search.tasks.dense import Said, image_of, plan_of, task_of

py_sod_metrics = pytest.importorskip("py_sod_metrics", reason="is of the extra tasks")
SIZES = ((32, 32), (20, 32), (32, 32))


def scenes(rng: np.random.Generator) -> list[Scene]:
    """Blocks stand out; nothing does in the last."""
    found = []
    for number, (high, wide) in enumerate(SIZES):
        stands = np.zeros((high, wide), np.uint8)
        if number < 2:
            stands[4:15, 3 : 20 - number] = 255
        found.append(Scene(name=str(number), image=image_of(rng, high, wide), saliency=stands))
    return found


def test_scores_are_those_of_the_library(tmp_path: Path) -> None:
    """By its older class, which takes another way to the curve, and by hand."""
    rng = np.random.default_rng(0)
    given = scenes(rng)
    task = task_of(plan_of(tmp_path, "saliency"), given)
    said = rng.normal(size=(3, 5, 32, 32)).astype(np.float32)
    scores = task.scores(Said(torch.from_numpy(said)), "validation")
    with pytest.warns(UserWarning, match="FmeasureV2"):
        f = py_sod_metrics.Fmeasure(beta=0.3)
    errors = []
    for logits, scene in zip(said, given, strict=True):
        truth = scene.saliency
        assert truth is not None
        high, wide = truth.shape
        answer = 255 / (1 + np.exp(-logits[-1, :high, :wide].astype(np.float64)))
        grey = answer.round().astype(np.uint8)
        f.step(grey, truth)
        stretched = (grey.astype(float) - grey.min()) / (float(grey.max()) - grey.min())
        errors.append(np.abs(stretched - (truth > 128)).mean())
    curve = f.get_results()["fm"]["curve"]
    assert scores["max_f"] == pytest.approx(curve.max(), abs=1e-6)
    assert scores["mae"] == pytest.approx(np.mean(errors), abs=1e-6)


def test_who_is_right_scores_one_and_no_error(tmp_path: Path) -> None:
    given = scenes(np.random.default_rng(0))[:1]
    task = task_of(plan_of(tmp_path, "saliency"), given)
    assert given[0].saliency is not None
    logits = torch.from_numpy(given[0].saliency).float()[None, None] - 127
    assert task.scores(Said(logits), "test") == {"max_f": pytest.approx(1.0), "mae": 0.0}


def test_the_losses_are_those_of_each_side_output_and_of_their_sum(tmp_path: Path) -> None:
    task = task_of(plan_of(tmp_path, "saliency"), scenes(np.random.default_rng(0)))
    generator = torch.Generator().manual_seed(0)
    maps = torch.randint(0, 2, (2, 32, 32), generator=generator) * 255
    batch = SceneBatch([Example(torch.zeros(3, 32, 32), {"map": one}) for one in maps])
    logits = torch.randn(2, 3, 32, 32, generator=generator)
    losses = task.loss(Said(logits), batch)
    assert list(losses) == ["side_1", "side_2", "fused"]
    for place, loss in enumerate(losses.values()):
        wanted = (maps / 255).float()
        expected = F.binary_cross_entropy_with_logits(logits[:, place], wanted)
        assert loss.item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize(("skeleton", "depth", "outputs"), [
    ("imagenet", (1, 1, 1, 1), 5), ("cifar", (1, 1, 1), 4), ("biglittle", (2, 2, 2, 1), 4),
])  # fmt: skip
def test_every_level_answers_at_the_size_of_the_image(
    skeleton: str, depth: tuple[int, ...], outputs: int
) -> None:
    """Also where sides are no multiples of a stride; of two features of one stride the last."""
    network = Architecture(skeleton=skeleton, depth=depth, planes=2, width=2, scale=2)
    ours = SaliencyNetwork(network, channels=4, seed=0)
    logits = ours(torch.zeros(2, 3, 50, 38))
    assert logits.shape == (2, outputs, 50, 38)
    logits[:, -1].sum().backward()
    assert all(parameter.grad is not None for parameter in ours.parameters())
