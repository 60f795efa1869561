"""Batches, held image by image against torchvision's functions for the same draws."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from search.images.augmentation import Augmentation, Targets
from search.images.draws import Draws, draw
from search.schema.training import Training

MEAN, STD = (129.3, 124.1, 112.4), (68.2, 65.4, 70.4)
COUNT = 64
ADJUST = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)
EVERYTHING: dict[str, Any] = {
    "resized_crop": (0.3, 1.0),
    "flip": True,
    "jitter": (0.4, 0.4, 0.4, 0.1),
    "cutout": 4,
    "erasing": 0.5,
    "mixup": 1.0,
}
RECIPES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "crop": {"crop": 2, "flip": True},
    "jitter": {"crop": 2, "jitter": (0.4, 0.0, 0.4, 0.1)},
    "cutmix": {"flip": True, "cutmix": 1.0},
    "everything": EVERYTHING,
}


class Case:
    """A recipe with images of its own, and the draws of an epoch."""

    def __init__(
        self,
        *,
        side: int = 12,
        resolution: int = 12,
        dtype: torch.dtype = torch.float64,
        device: str = "cpu",
        **fields: Any,
    ) -> None:
        recipe = Training(epochs=1, **fields)
        generator = torch.Generator().manual_seed(0)
        pixels = torch.randint(0, 256, (COUNT, side, side, 3), generator=generator)
        self.images = pixels.to(torch.uint8).to(device)
        self.labels = torch.randint(0, 9, (COUNT,), generator=generator).to(device)
        self.draws = draw(recipe, COUNT, side=side, resolution=resolution, generator=generator)
        mean, std = (torch.tensor(v, device=device) for v in (MEAN, STD))
        self.augmentation = Augmentation(
            recipe, side=side, resolution=resolution, mean=mean, std=std, dtype=dtype
        )
        self.stored = self.augmentation.stored(self.images)

    def batch(self, index: Tensor, draws: Draws | None = None) -> tuple[Tensor, Targets]:
        chosen = self.draws if draws is None else draws
        return self.augmentation.batch(self.stored, index, self.labels[index], chosen)

    def whole(self) -> tuple[Tensor, Targets]:
        return self.batch(torch.arange(COUNT))

    @property
    def planes(self) -> Tensor:
        """(N, 3, side, side) in 0 to 255."""
        return self.images.permute(0, 3, 1, 2).double()


def row(tensor: Tensor | None, number: int) -> list[Any]:
    assert tensor is not None
    values: list[Any] = tensor[number].tolist()
    return values


def normal(images: Tensor) -> Tensor:
    return F.normalize(images, torch.tensor(MEAN).tolist(), torch.tensor(STD).tolist())


def mirror(image: Tensor, draws: Draws, number: int) -> Tensor:
    assert draws.mirrored is not None
    return F.hflip(image) if draws.mirrored[number] else image


@pytest.mark.parametrize(
    ("side", "resolution", "crop"),
    [(12, 12, 2), (12, 8, None), (12, 10, 3), (5, 5, 1)],
    ids=["padded", "smaller", "both", "odd"],
)
def test_crops_are_torchvision_s(side: int, resolution: int, crop: int | None) -> None:
    case = Case(side=side, resolution=resolution, crop=crop, flip=True)
    images, targets = case.whole()
    mean = [round(value) for value in MEAN]
    for number, plane in enumerate(case.planes):
        moves = row(case.draws.moves, number)
        cut = F.crop(F.pad(plane, crop or 0, fill=mean), *moves, resolution, resolution)
        expected = normal(mirror(cut, case.draws, number))
        assert torch.allclose(images[number], expected, atol=1e-12)
    assert targets.labels.tolist() == case.labels.tolist()
    assert targets.partners is targets.weight is None


@pytest.mark.parametrize(("side", "resolution"), [(24, 24), (40, 24), (33, 32)])
def test_zooms_are_torchvision_s(side: int, resolution: int) -> None:
    case = Case(side=side, resolution=resolution, resized_crop=(0.08, 1.0), flip=True)
    images, _ = case.whole()
    single, _ = Case(
        side=side,
        resolution=resolution,
        resized_crop=(0.08, 1.0),
        flip=True,
        dtype=torch.float32,
    ).whole()
    for number, plane in enumerate(case.planes):
        box = row(case.draws.zooms, number)
        resized = F.resized_crop(plane, *box, [resolution] * 2, antialias=False)
        expected = normal(mirror(resized, case.draws, number))
        assert torch.allclose(images[number], expected, atol=1e-10)
        assert torch.allclose(single[number].double(), expected, atol=1e-4)


@pytest.mark.parametrize(
    "jitter",
    [(0.4, 0.4, 0.4, 0.5), (1.5, 0, 0, 0), (0, 0.9, 0.9, 0), (0, 0, 0, 0.5), (2, 2, 2, 0.1)],
)
def test_colours_are_torchvision_s(jitter: tuple[float, float, float, float]) -> None:
    case = Case(jitter=jitter)
    case.images[:8] = case.images[:8, :, :, :1]  # grey, where hue is not defined
    case.images[8:12] = 0
    images, _ = case.whole()
    for number, plane in enumerate(case.planes / 255):
        image, factors = plane, row(case.draws.factors, number)
        for operation in row(case.draws.order, number):
            image = ADJUST[operation](image, factors[operation])
        # adjust_hue computes in float32 whatever it is given
        assert torch.allclose(images[number], normal(image * 255), atol=1e-4)


def test_erasing_is_torchvision_s() -> None:
    case = Case(erasing=0.7)
    images, _ = case.whole()
    for number, plane in enumerate(normal(case.planes)):
        expected = F.erase(plane, *row(case.draws.erased, number), torch.zeros(1))
        assert torch.allclose(images[number], expected, atol=1e-12)


@pytest.mark.parametrize("width", [1, 4, 5, 30])
def test_cutout_clears_a_square_cut_off_at_the_border(width: int) -> None:
    case = Case(cutout=width)
    images, _ = case.whole()
    for number, expected in enumerate(normal(case.planes)):
        top, left, _, _ = row(case.draws.cutouts, number)
        for y in range(max(0, top), min(12, top + width)):
            expected[:, y, max(0, left) : min(12, left + width)] = 0
        assert torch.allclose(images[number], expected, atol=1e-12)


def test_mixtures_are_torchvision_s() -> None:
    """Theirs with the box and the weight of one image, compared at that image."""
    for name, transform in (("mixup", v2.MixUp), ("cutmix", v2.CutMix)):
        theirs = transform(num_classes=9)
        case = Case(**{name: 1.0})
        images, targets = case.whole()
        weight, partners = targets.weight, targets.partners
        assert weight is not None
        assert partners is not None
        aims = torch.eye(9)[case.labels] * weight[:, None]
        aims += torch.eye(9)[partners] * (1 - weight[:, None])
        for number in range(COUNT):
            share = weight[number].item()
            params: dict[str, Any] = {"labels": case.labels, "batch_size": COUNT}
            params |= {"lam": share, "lam_adjusted": share}
            if case.draws.pasted is not None:
                top, left, height, width = row(case.draws.pasted, number)
                params["box"] = (left, top, left + width, top + height)
            mixed = theirs.transform(normal(case.planes), params)[number]
            assert torch.allclose(images[number], mixed, atol=1e-12), name
            aim = theirs.transform(case.labels, params)[number]
            assert torch.allclose(aims[number], aim, atol=1e-6), name


@pytest.mark.parametrize(("side", "resolution"), [(12, 12), (15, 12), (12, 9)])
def test_plain_images_are_the_centre(side: int, resolution: int) -> None:
    case = Case(side=side, resolution=resolution, crop=2)
    plain = case.augmentation.plain(case.images)
    expected = normal(F.center_crop(case.planes, [resolution, resolution]))
    assert torch.allclose(plain, expected, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", RECIPES)
def test_batches_have_one_form_and_change_nothing(name: str, dtype: torch.dtype) -> None:
    case = Case(side=15, resolution=12, dtype=dtype, **RECIPES[name])
    stored, images = case.stored.clone(), case.images.clone()
    for batch in (case.whole()[0], case.augmentation.plain(case.images)):
        assert batch.shape == (COUNT, 3, 12, 12)
        assert batch.dtype == dtype
        assert batch.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(case.stored, stored)
    assert torch.equal(case.images, images)


@settings(max_examples=25)
@given(st.sampled_from(sorted(RECIPES)), st.integers(1, COUNT))
def test_images_do_not_depend_on_the_batch_size(name: str, size: int) -> None:
    case = Case(dtype=torch.float32, **RECIPES[name])
    # Partners are those of the batch; without them nothing may differ.
    draws = replace(case.draws, weight=None, pasted=None)
    order = torch.randperm(COUNT, generator=torch.Generator().manual_seed(3))
    whole, _ = case.batch(order, draws)
    parts = [
        case.batch(index, draws.part(start, start + len(index)))[0]
        for start, index in zip(range(0, COUNT, size), order.split(size), strict=True)
    ]
    assert torch.equal(torch.cat(parts), whole)


def test_equal_images_get_different_draws() -> None:
    case = Case(**(EVERYTHING | {"mixup": 0}))
    case.images[:] = case.images[0]
    images, _ = case.whole()
    assert len({image.numpy().tobytes() for image in images}) == COUNT


def test_padding_is_the_mean_to_the_nearest_of_256_levels() -> None:
    case = Case(crop=2)
    assert case.stored[:, 0, 0].unique(dim=0).tolist() == [[129, 124, 112]]
    assert torch.equal(case.stored[:, 2:-2, 2:-2], case.images)
    assert Case().stored.shape == (COUNT, 12, 12, 3)


def elsewhere(draws: Draws, device: str) -> Draws:
    rows = {name: getattr(draws, name) for name in Draws.__slots__}
    return Draws(**{n: None if v is None else v.to(device) for n, v in rows.items()})


@pytest.mark.parametrize("name", RECIPES)
def test_nothing_asks_for_values(name: str) -> None:
    """On torch's meta device there are none: what waits for a GPU fails on it."""
    case = Case(side=15, resolution=12, device="meta", **RECIPES[name])
    index = torch.arange(COUNT, device="meta")
    images, _ = case.batch(index, elsewhere(case.draws, "meta"))
    assert images.shape == (COUNT, 3, 12, 12)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA")
@pytest.mark.filterwarnings("default")  # torch warns of itself there
@pytest.mark.parametrize("name", RECIPES)
def test_cuda_gives_what_the_cpu_gives_and_waits_for_nothing(name: str) -> None:
    fields = {"side": 15, "resolution": 12, "dtype": torch.float32, **RECIPES[name]}
    here, there = Case(**fields), Case(device="cuda", **fields)
    expected, expected_targets = here.whole()
    draws = elsewhere(here.draws, "cuda")
    index = torch.arange(COUNT, device="cuda")
    there.batch(index, draws)  # what the first call sets up may wait
    try:
        torch.cuda.set_sync_debug_mode("error")
        images, targets = there.batch(index, draws)
        plain = there.augmentation.plain(there.images)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.allclose(images.cpu(), expected, atol=1e-4)
    assert torch.allclose(plain.cpu(), here.augmentation.plain(here.images), atol=1e-5)
    for ours, reference in zip(targets, expected_targets, strict=True):
        assert ours is reference or torch.equal(ours.cpu(), reference)
