"""Draws all random choices of an epoch at its start: one row for each image, in order.

A batch takes a slice, so that an image's draws do not depend on the batch size, and no small
kernels run in a step. The distributions are those of torchvision's transforms.
"""

import math
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from search.schema.training import Training

_ATTEMPTS = 10  # of torchvision, at finding a box that fits
_CROP_RATIO = (3 / 4, 4 / 3)  # torchvision's defaults, like the next two
_ERASED_RATIO = (0.3, 3.3)
_ERASED_SHARE = (0.02, 0.33)
HUE = 3  # index in `Training.jitter`; after brightness, contrast, saturation


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Tensors with one row per image, on one device; None for what the recipe does not use.

    A box is (top, left, height, width) in pixels.

    Attributes:
        moves: (N, 2) int64, row and column at which a crop begins in the stored image.
        mirrored: (N,) bool.
        zooms: (N, 4) int64, boxes of the stored image that are resized.
        factors: (N, 4) of brightness, contrast, saturation and hue.
        order: (N, k) int64, indices in `factors` of the k operations to do, first to last.
        cutouts: (N, 4) int64, boxes that may extend beyond the image.
        erased: (N, 4) int64, boxes; of height 0 where nothing is erased.
        weight: (N,) float32, the share that an image itself has in its mixture.
        pasted: (N, 4) int64, boxes that come from the partner.
    """

    moves: Tensor | None = None
    mirrored: Tensor | None = None
    zooms: Tensor | None = None
    factors: Tensor | None = None
    order: Tensor | None = None
    cutouts: Tensor | None = None
    erased: Tensor | None = None
    weight: Tensor | None = None
    pasted: Tensor | None = None

    def part(self, start: int, stop: int) -> "Draws":
        """Rows from `start` to before `stop`, as views."""
        rows = {field.name: getattr(self, field.name) for field in fields(self)}
        return Draws(**{k: None if v is None else v[start:stop] for k, v in rows.items()})


def draw(
    recipe: Training, count: int, *, side: int, resolution: int, generator: torch.Generator
) -> Draws:
    """Draws for `count` images, on the generator's device.

    Args:
        recipe: gives the operations to draw for.
        count: images of the epoch.
        side: side of the stored square images, in pixels.
        resolution: side of the images that the network sees, in pixels.
        generator: the only source of randomness.
    """
    return Draws(
        **_framing(recipe, count, side, resolution, generator=generator),
        **_painting(recipe, count, resolution, generator),
        **_mixing(recipe, count, resolution, generator),
    )


def _framing(
    recipe: Training, count: int, side: int, resolution: int, *, generator: torch.Generator
) -> dict[str, Tensor]:
    made = {}
    slack = side + 2 * (recipe.crop or 0) - resolution
    if recipe.resized_crop:
        made["zooms"] = _zooms(recipe.resized_crop, count, side, generator)
    elif slack:
        made["moves"] = _integers(slack + 1, (count, 2), generator)
    if recipe.flip:
        made["mirrored"] = _uniform((count,), generator) < 0.5
    return made


def _painting(
    recipe: Training, count: int, side: int, generator: torch.Generator
) -> dict[str, Tensor]:
    made = {}
    if any(recipe.jitter):
        made["factors"], made["order"] = _jitter(recipe.jitter, count, generator)
    if recipe.cutout:
        made["cutouts"] = _cutouts(recipe.cutout, count, side, generator)
    if recipe.erasing:
        made["erased"] = _erased(recipe.erasing, count, side, generator)
    return made


def _mixing(
    recipe: Training, count: int, side: int, generator: torch.Generator
) -> dict[str, Tensor]:
    if recipe.mixup:
        return {"weight": _beta(recipe.mixup, count, generator)}
    if recipe.cutmix:
        pasted, weight = _pasted(recipe.cutmix, count, side, generator)
        return {"pasted": pasted, "weight": weight}
    return {}


def _uniform(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.rand(shape, device=generator.device, generator=generator)


def _integers(below: int, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randint(below, shape, device=generator.device, generator=generator)


def _between(low: float, high: float, uniform: Tensor) -> Tensor:
    return low + (high - low) * uniform


def _zooms(
    share: tuple[float, float], count: int, side: int, generator: torch.Generator
) -> Tensor:
    """Boxes as in RandomResizedCrop; if no attempt fits, the whole image."""
    sizes = _sizes(count, side, share, _CROP_RATIO, generator=generator)
    fits = ((sizes > 0) & (sizes <= side)).all(2)
    size = torch.where(fits.any(1, keepdim=True), _first(sizes, fits), side)
    return _placed(size, side, generator)


def _erased(probability: float, count: int, side: int, generator: torch.Generator) -> Tensor:
    """Boxes as in RandomErasing; if no attempt fits, none."""
    chosen = _uniform((count, 1), generator) < probability
    sizes = _sizes(count, side, _ERASED_SHARE, _ERASED_RATIO, generator=generator)
    fits = (sizes < side).all(2)
    size = torch.where(chosen & fits.any(1, keepdim=True), _first(sizes, fits), 0)
    return _placed(size, side, generator)


def _sizes(
    count: int,
    side: int,
    share: tuple[float, float],
    ratio: tuple[float, float],
    *,
    generator: torch.Generator,
) -> Tensor:
    """(count, attempts, 2): heights and widths of uniform area and log-uniform ratio.

    The ratio is height over width. For a crop torchvision takes width over height, which gives
    the same distribution, because 3/4 is 1 over 4/3.
    """
    area, skew = _uniform((2, count, _ATTEMPTS), generator)
    area = side**2 * _between(*share, area)
    skew = _between(math.log(ratio[0]), math.log(ratio[1]), skew).exp()
    return torch.stack([area * skew, area / skew], 2).sqrt().round().long()


def _first(sizes: Tensor, fits: Tensor) -> Tensor:
    """(count, 2): the first size of each row that fits; any size if none does."""
    rows = torch.arange(len(sizes), device=sizes.device)
    return sizes[rows, fits.to(torch.uint8).argmax(1)]


def _placed(size: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """(count, 4): boxes of these sizes, anywhere inside the image."""
    room = side - size + 1
    start = (_uniform((len(size), 2), generator) * room).long()
    return torch.cat([start, size], 1)


def _jitter(
    jitter: tuple[float, float, float, float], count: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """As in ColorJitter: factors, and the order of the operations that have an effect."""
    asked = [number for number, extent in enumerate(jitter) if extent]
    factors = torch.ones(count, 4, device=generator.device)
    factors[:, HUE] = 0
    for number in asked:
        extent = jitter[number]
        low, high = (-extent, extent) if number == HUE else (max(0, 1 - extent), 1 + extent)
        factors[:, number] = _between(low, high, _uniform((count,), generator))
    order = _uniform((count, len(asked)), generator).argsort(1)
    return factors, torch.tensor(asked, device=order.device)[order]


def _cutouts(width: int, count: int, side: int, generator: torch.Generator) -> Tensor:
    """Squares around any pixel of the image, as in DeVries and Taylor (2017)."""
    start = _integers(side, (count, 2), generator) - width // 2
    return torch.cat([start, torch.full_like(start, width)], 1)


def _beta(alpha: float, count: int, generator: torch.Generator) -> Tensor:
    # numpy's beta distribution, as torch's takes no generator
    seed = int(_integers(2**62, (1,), generator))
    drawn = np.random.default_rng(seed).beta(alpha, alpha, count).astype(np.float32)
    return torch.from_numpy(drawn).to(generator.device)


def _pasted(
    alpha: float, count: int, side: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """As in CutMix: boxes cut at the border, and the share of pixels outside them."""
    half = ((1 - _beta(alpha, count, generator)).sqrt() / 2 * side).long()[:, None]
    centre = _integers(side, (count, 2), generator)
    start, stop = (centre - half).clamp(min=0), (centre + half).clamp(max=side)
    size = stop - start
    return torch.cat([start, size], 1), 1 - size.prod(1) / side**2
