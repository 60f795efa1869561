"""Batches made on the device: crop and flip each image by its own draw, then normalise."""

import torch
from torch import Tensor

from search.data import Split


class Augmentation:
    """Training batches from images that stay on the device as uint8.

    Padding has the mean colour, so that it is 0 after normalisation, as in the published
    CIFAR recipe of ResNeXt.

    Args:
        split: the training images.
        mean, std: (3,) of the training pixels, in 0 to 255.
        crop: pixels of padding on each side, by which a crop may move.
        flip: mirror half of the images.
    """

    def __init__(
        self, split: Split, *, mean: Tensor, std: Tensor, crop: int, flip: bool
    ) -> None:
        count, side, _, _ = split.images.shape
        self._side, self._crop, self._flip = side, crop, flip
        self._mean, self._std = mean, std
        self._labels = split.labels
        self._padded = (
            mean.round().to(torch.uint8).repeat(count, side + 2 * crop, side + 2 * crop, 1)
        )
        self._padded[:, crop : crop + side, crop : crop + side] = split.images
        self._steps = torch.arange(side, device=split.images.device)

    def batch(self, index: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Normalised images (N, 3, H, W) in channels_last, and labels (N,)."""
        rows, columns = self._offsets(len(index), generator)
        images = self._padded[index[:, None, None], rows[:, :, None], columns[:, None, :]]
        return normalise(images, self._mean, self._std), self._labels[index]

    def _offsets(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Row and column (N, side) of each pixel that an image keeps."""
        device = self._steps.device
        rows = columns = self._steps.expand(count, -1)
        if self._flip:
            mirrored = torch.rand(count, 1, device=device, generator=generator) < 0.5
            columns = torch.where(mirrored, self._side - 1 - columns, columns)
        moves = torch.randint(
            2 * self._crop + 1, (2, count, 1), device=device, generator=generator
        )
        return rows + moves[0], columns + moves[1]


def normalise(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """uint8 (N, H, W, 3) to float32 (N, 3, H, W) in channels_last, mean 0 and std 1."""
    return ((images - mean) / std).permute(0, 3, 1, 2)
