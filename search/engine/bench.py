"""What trials that follow each other in one process share: recipe, device, images on it."""

import torch
from torch import Tensor

from search.engine.allocation import keep_freed_memory
from search.engine.execution import dtype_of
from search.engine.recipe import Training
from search.images.augmentation import Augmentation
from search.images.splits import Split, Splits
from search.images.stores import make_store


class Bench:
    """A place to train at.

    Args:
        recipe: how every trial trains.
        splits: the images.
        device: where everything happens; what fits of the images is moved there.
        resolution: of what networks see, in pixels; the images' own side where not given.
        share: of the device that one trial has, 1 for all of it.
        workers: processes that decode images, where they are not kept decoded.
    """

    def __init__(
        self,
        recipe: Training,
        splits: Splits,
        *,
        device: torch.device,
        resolution: int | None = None,
        share: float = 1.0,
        workers: int = 1,
    ) -> None:
        keep_freed_memory()
        self.recipe, self.device, self.share = recipe, device, share
        side = splits.train.side
        self.resolution = resolution or side
        self.augmentation = Augmentation(
            recipe,
            side=side,
            resolution=self.resolution,
            mean=splits.mean.to(device),
            std=splits.std.to(device),
            dtype=dtype_of(recipe.precision),
        )
        self._workers = workers
        self.labels = splits.train.labels.to(device)
        self.train = make_store(splits.train, device, self.augmentation.stored, workers=workers)
        self.validation = self._held_out(splits.validation)
        self.test = self._held_out(splits.test)

    def _held_out(self, split: Split) -> "HeldOut":
        return HeldOut(split, self.device, workers=self._workers)


class HeldOut:
    """Images that are only looked at.

    Args:
        split: the images.
        device: where batches of them are wanted.
        workers: as of the bench.
    """

    def __init__(self, split: Split, device: torch.device, *, workers: int) -> None:
        self.labels = split.labels.to(device)
        self.store = make_store(split, device, _as_it_is, workers=workers)


def _as_it_is(images: Tensor) -> Tensor:
    return images
