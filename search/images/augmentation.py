"""Augments batches on the device, each image with its own draws: from uint8 to normalised.

In torchvision's order: crop and mirror, colour jitter, normalise, cutout and erasing, mixture.
Nothing here waits for the device, and nothing is random: see `search.images.draws`.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from search.images.colour import jittered
from search.images.cropping import mirrored, padded, windows, zoomed
from search.images.draws import HUE, Draws
from search.schema.training import PlannedTraining, Precision


def dtype_of(precision: Precision) -> torch.dtype:
    """The dtype of weights and images: bf16 keeps them in float32."""
    return torch.float64 if precision == "fp64" else torch.float32


class Targets(NamedTuple):
    """Training targets: loss = weight CE(labels) + (1 - weight) CE(partners).

    Without a mixture, partners and weight are None and the loss is CE(labels). Each (N,).
    """

    labels: Tensor
    partners: Tensor | None = None
    weight: Tensor | None = None

    def part(self, start: int, stop: int) -> "Targets":
        """Rows from `start` to before `stop`, as views."""
        return Targets(*(None if each is None else each[start:stop] for each in self))  # type: ignore[arg-type]  # labels are there


class Augmentation:
    """Training and evaluation batches from images that stay on the device as uint8.

    Padding has the mean colour, so that it is 0 after normalisation, as in the published
    CIFAR recipe of ResNeXt. Resized crops are bilinear and not antialiased.

    Args:
        recipe: gives the operations; the draws of a batch must be of the same recipe.
        side: side of the stored square images, in pixels.
        resolution: side of the images that the network sees, in pixels; no larger than `side`.
        mean, std: (channels,) of the training pixels, in 0 to 255, on the device.
        dtype: dtype of the batches.
    """

    def __init__(
        self,
        recipe: PlannedTraining,
        *,
        side: int,
        resolution: int,
        mean: Tensor,
        std: Tensor,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        assert resolution <= side, "the plan checks this first"
        self._recipe, self.side, self.resolution = recipe, side, resolution
        self._dtype, self._mean = dtype, mean
        # Repeated for a row of pixels: three values would be too few for a vector unit.
        mean, std = mean.to(dtype), std.to(dtype)
        self._scale = (1 / std).repeat(resolution)
        self._bias = (-mean / std).repeat(resolution)
        self._positions = torch.arange(resolution, device=mean.device)
        self._channels = len(mean)
        self._columns = self._positions.repeat_interleave(self._channels)

    def stored(self, images: Tensor) -> Tensor:
        """Prepare uint8 images (M, side, side, C) for `batch`: padded if needed."""
        if not self._recipe.crop:
            return images.contiguous()
        return padded(images, self._recipe.crop, self._mean.round().to(torch.uint8))

    def batch(
        self, stored: Tensor, index: Tensor, labels: Tensor, draws: Draws
    ) -> tuple[Tensor, Targets]:
        """Normalised images (N, channels, resolution, resolution), channels_last, and targets.

        Args:
            stored: from `stored`.
            index: (N,) int64, positions of the batch's images in it.
            labels: (N,) int64 of these images.
            draws: N rows, of the same recipe, side and resolution.
        """
        images = self._cropped(stored, index, draws)
        if draws.factors is not None and draws.order is not None:
            planes = images.permute(0, 3, 1, 2).to(
                self._dtype, memory_format=torch.contiguous_format
            )
            hue = self._recipe.jitter[HUE] > 0
            images = jittered(planes, draws.factors, draws.order, hue=hue).permute(0, 2, 3, 1)
        rows = self._normalised(images)
        for boxes in (draws.cutouts, draws.erased):
            if boxes is not None:
                rows.masked_fill_(self._inside(boxes), 0)
        rows, targets = self._mixed(rows, labels, draws)
        return self._image(rows), targets

    def plain(self, images: Tensor) -> Tensor:
        """The centre of uint8 images (N, side, side, channels), as `batch` gives it."""
        start = round((self.side - self.resolution) / 2)
        middle = slice(start, start + self.resolution)
        return self._image(self._normalised(images[:, middle, middle]))

    def _cropped(self, stored: Tensor, index: Tensor, draws: Draws) -> Tensor:
        """(N, resolution, resolution, channels), 0 to 255, not sharing memory with `stored`."""
        if draws.zooms is not None:
            planes = stored.index_select(0, index).permute(0, 3, 1, 2).to(self._dtype)
            zooms = zoomed(planes, draws.zooms, draws.mirrored, self.resolution)
            return zooms.permute(0, 2, 3, 1)
        images = windows(stored, index, draws.moves, self.resolution)
        return images if draws.mirrored is None else mirrored(images, draws.mirrored)

    def _normalised(self, images: Tensor) -> Tensor:
        """Turn (N, H, W, channels) in 0 to 255 into rows (N, H, channels W), mean 0, std 1."""
        rows = images.flatten(2).to(self._dtype)
        # In place, because new memory costs a CPU more than the arithmetic.
        return torch.addcmul(self._bias, rows, self._scale, out=rows)

    def _inside(self, boxes: Tensor) -> Tensor:
        """(N, H, channels W) bool: which values lie in their image's box (N, 4)."""
        start, stop = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
        rows = (self._positions >= start[:, :1]) & (self._positions < stop[:, :1])
        columns = (self._columns >= start[:, 1:]) & (self._columns < stop[:, 1:])
        return rows[:, :, None] & columns[:, None, :]

    def _mixed(self, rows: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Targets]:
        """Mix each image with the one before it in the batch, as torchvision pairs them."""
        if draws.weight is None:
            return rows, Targets(labels)
        partners = rows.roll(1, 0)
        if draws.pasted is not None:
            rows = torch.where(self._inside(draws.pasted), partners, rows)
        else:
            rows = partners.lerp_(rows, draws.weight.to(self._dtype).view(-1, 1, 1))
        return rows, Targets(labels, labels.roll(1, 0), draws.weight)

    def _image(self, rows: Tensor) -> Tensor:
        return rows.view(*rows.shape[:2], -1, self._channels).permute(0, 3, 1, 2)
