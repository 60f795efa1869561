"""The choices of an epoch, held against what torchvision's own transforms choose."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import binomtest, chi2_contingency, chisquare, ks_2samp
from torch import Tensor
from torchvision.transforms import v2

from search.images.draws import Draws, draw
from search.schema.training import Training

LEVEL = 1e-6  # seeds are fixed: a test that passes goes on passing
THEIRS = 1500  # draws of torchvision's, one at a time
OURS = 20_000


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    """For torchvision, which draws from torch's global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def drawn(count: int = OURS, *, side: int = 32, resolution: int = 32, **fields: Any) -> Draws:
    recipe = Training(epochs=1, **fields)
    generator = torch.Generator().manual_seed(1)
    return draw(recipe, count, side=side, resolution=resolution, generator=generator)


def theirs(transform: v2.Transform, side: int) -> list[dict[str, Any]]:
    """What torchvision's transform chooses, over and over."""
    image = torch.zeros(3, side, side)
    return [transform.make_params([image]) for _ in range(THEIRS)]


def given(tensor: Tensor | None) -> np.ndarray:
    assert tensor is not None
    return tensor.double().numpy()


def alike(ours: np.ndarray, reference: Any) -> None:
    assert ks_2samp(ours, np.asarray(reference, dtype=float)).pvalue > LEVEL


def boxes_alike(boxes: np.ndarray, reference: list[tuple[int, int, int, int]]) -> None:
    """Corners, sizes, areas and ratios of (top, left, height, width)."""
    measures: list[Callable[[np.ndarray], np.ndarray]] = [
        *(lambda b, column=column: b[:, column] for column in range(4)),
        lambda b: b[:, 2] * b[:, 3],
        lambda b: b[:, 2] / np.maximum(b[:, 3], 1),
        lambda b: b[:, 0] + b[:, 1],
    ]
    for measure in measures:
        alike(measure(boxes), measure(np.asarray(reference, dtype=float)))


def test_moves_and_mirrors_are_uniform_and_know_nothing_of_each_other() -> None:
    chosen = drawn(side=4, resolution=5, crop=1, flip=True)  # 2 x 2 moves
    cell = given(chosen.moves) @ [4, 2] + given(chosen.mirrored)
    counts = np.bincount(cell.astype(int), minlength=8)
    assert chisquare(counts).pvalue > LEVEL
    pairs = np.zeros((8, 8))
    np.add.at(pairs, (cell[:-1].astype(int), cell[1:].astype(int)), 1)
    assert chi2_contingency(pairs).pvalue > LEVEL, "from one image to the next"


@pytest.mark.parametrize(
    ("side", "resolution", "crop", "largest"), [(32, 32, 4, 8), (160, 128, None, 32)]
)
def test_moves_are_those_of_random_crop(
    side: int, resolution: int, crop: int | None, largest: int
) -> None:
    moves = given(drawn(side=side, resolution=resolution, crop=crop).moves)
    assert (moves.min(), moves.max()) == (0, largest)
    reference = theirs(v2.RandomCrop(resolution, padding=crop), side)
    alike(moves[:, 0], [p["top"] for p in reference])
    alike(moves[:, 1], [p["left"] for p in reference])


@pytest.mark.parametrize("share", [(0.08, 1.0), (0.6, 0.9), (1.0, 1.0), (0.01, 0.02)])
def test_zooms_are_those_of_random_resized_crop(share: tuple[float, float]) -> None:
    """With (1, 1) nearly every attempt fails, with (0.01, 0.02) none does."""
    reference = theirs(v2.RandomResizedCrop(24, scale=share), 40)
    keys = ("top", "left", "height", "width")
    boxes = given(drawn(side=40, resolution=24, resized_crop=share).zooms)
    boxes_alike(boxes, [tuple(p[key] for key in keys) for p in reference])
    assert boxes[:, :2].min() >= 0
    assert (boxes[:, :2] + boxes[:, 2:]).max() <= 40


def test_factors_and_order_are_those_of_color_jitter() -> None:
    jitter = (0.4, 1.5, 0.2, 0.1)  # 1.5: down to 0, not to -0.5
    chosen = drawn(jitter=jitter)
    reference = theirs(v2.ColorJitter(*jitter), 8)
    factors, order = given(chosen.factors), given(chosen.order)
    names = ("brightness", "contrast", "saturation", "hue")
    for number, name in enumerate(names):
        alike(factors[:, number], [p[f"{name}_factor"] for p in reference])
    orders, counts = np.unique(order, axis=0, return_counts=True)
    assert len(orders) == 24
    assert (np.sort(order, 1) == range(4)).all()
    assert chisquare(counts).pvalue > LEVEL
    assert np.abs(np.corrcoef(factors.T) - np.eye(4)).max() < 5 / np.sqrt(OURS)  # 5 sigma


def test_only_what_is_asked_for_has_a_turn() -> None:
    chosen = drawn(jitter=(0.4, 0, 0, 0.1))
    orders, counts = np.unique(given(chosen.order), axis=0, return_counts=True)
    assert orders.tolist() == [[0, 3], [3, 0]]
    assert chisquare(counts).pvalue > LEVEL
    assert (given(chosen.factors)[:, 1:3] == 1).all()


@pytest.mark.parametrize("side", [32, 8])
def test_erased_boxes_are_those_of_random_erasing(side: int) -> None:
    boxes = given(drawn(side=side, resolution=side, erasing=0.3).erased)
    erased = boxes[:, 2] > 0
    assert binomtest(int(erased.sum()), OURS, 0.3).pvalue > LEVEL
    reference = theirs(v2.RandomErasing(), side)
    assert all(p["v"] is not None for p in reference)
    boxes_alike(boxes[erased], [tuple(p[key] for key in "ijhw") for p in reference])


def test_cutouts_lie_around_any_pixel() -> None:
    boxes = given(drawn(side=8, resolution=8, cutout=4).cutouts)
    assert (boxes[:, 2:] == 4).all()
    centres = (boxes[:, :2] + 2) @ [8, 1]
    assert chisquare(np.bincount(centres.astype(int), minlength=64)).pvalue > LEVEL


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_mixup_s_weights_are_torchvision_s(alpha: float) -> None:
    weight = given(drawn(mixup=alpha).weight)
    alike(weight, [p["lam"] for p in theirs(v2.MixUp(alpha=alpha, num_classes=2), 8)])
    # within 5 sigma: neighbours are independent
    assert abs(np.corrcoef(weight[:-1], weight[1:])[0, 1]) < 5 / np.sqrt(OURS)


@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_cutmix_s_boxes_and_weights_are_torchvision_s(alpha: float) -> None:
    chosen = drawn(side=17, resolution=17, cutmix=alpha)
    reference = theirs(v2.CutMix(alpha=alpha, num_classes=2), 17)
    corners = [p["box"] for p in reference]
    boxes = given(chosen.pasted)
    boxes_alike(boxes, [(y, x, bottom - y, right - x) for x, y, right, bottom in corners])
    # rounded, because theirs is in double precision and equal weights must be equal
    alike(given(chosen.weight).round(4), np.round([p["lam_adjusted"] for p in reference], 4))
    kept = 1 - boxes[:, 2] * boxes[:, 3] / 17**2
    assert given(chosen.weight) == pytest.approx(kept)


EVERYTHING: dict[str, Any] = {
    "resized_crop": (0.3, 1.0),
    "flip": True,
    "jitter": (0.4, 0.4, 0.4, 0.1),
    "cutout": 8,
    "erasing": 0.5,
    "cutmix": 1.0,
}


def test_the_same_generator_gives_the_same_draws() -> None:
    first = drawn(50, **EVERYTHING)
    torch.rand(7)  # the global generator has no say
    second = drawn(50, **EVERYTHING)
    assert rows(first) == rows(second)
    assert set(rows(first)) == set(Draws.__slots__) - {"moves"}


def test_a_part_has_the_rows_of_the_whole() -> None:
    whole = drawn(50, **EVERYTHING)
    expected = {name: values[20:31] for name, values in rows(whole).items()}
    assert rows(whole.part(20, 31)) == expected


def test_what_is_not_asked_for_is_not_drawn() -> None:
    generator = torch.Generator().manual_seed(1)
    before = generator.get_state()
    nothing = draw(Training(epochs=1), 9, side=32, resolution=32, generator=generator)
    assert nothing == Draws()
    assert torch.equal(generator.get_state(), before)


def rows(draws: Draws) -> dict[str, list[Any]]:
    tensors = {name: getattr(draws, name) for name in Draws.__slots__}
    return {name: each.tolist() for name, each in tensors.items() if each is not None}
