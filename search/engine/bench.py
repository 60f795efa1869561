"""What trials that follow each other in one process share: recipe, device, images on it."""

from typing import NamedTuple

import torch
from torch import Tensor

from search.engine.allocation import keep_freed_memory
from search.engine.execution import dtype_of
from search.images.augmentation import Augmentation
from search.images.splits import Split, Splits
from search.images.stores import Prepare, Room, Store, make_store
from search.schema.training import Training


class Held(NamedTuple):
    """Images where they are wanted; their labels (N,) on the device."""

    store: Store
    labels: Tensor


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
        torch.backends.cudnn.benchmark = True  # it times its algorithms once for each size
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
        room = Room(device, share=share)

        def held(split: Split, prepare: Prepare) -> Held:
            store = make_store(split, device, prepare, room=room, workers=workers)
            return Held(store, split.labels.to(device))

        self.train = held(splits.train, self.augmentation.stored)
        self.validation = held(splits.validation, _as_it_is)
        self.test = held(splits.test, _as_it_is)


def _as_it_is(images: Tensor) -> Tensor:
    return images
