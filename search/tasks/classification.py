"""Classification: one class for each image, scored by top-1 and top-5 error."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from res2net import Architecture, build, cost
from search.images.augmentation import Augmentation, Targets, dtype_of
from search.images.draws import draw
from search.images.splits import Split, Splits, load
from search.images.stores import Prepare, Room, Store, make_store
from search.schema.study_plan import StudyPlan
from search.schema.training import PlannedTraining
from search.tasks.base import DivergedError, Forward, SplitName
from search.tasks.loss import mixed_loss
from search.tasks.memory import is_out_of_memory

# Pixels of one batch when scoring a split: at least and, on a GPU, at most.
_FEWEST_PIXELS, _MOST_PIXELS = 1 << 20, 1 << 23
_TO_TRAINED = 4  # so many times more images fit in memory when scored than when trained on
# Numbers that a network's layers output for a batch that a CPU scores. About half of them are
# alive at once: 19 MB per image in fp32 for Res2NeXt-29-6c24w4s, 19 GB for 1,024 at once.
_MOST_NUMBERS = 1 << 30


def scored_at_once(training: PlannedTraining, resolution: int, *, gpu: bool) -> int:
    """How many images are scored together, where memory allows it.

    On a GPU about as many as take no more memory than a training batch, but at least a million
    pixels.
    """
    image = resolution**2
    pixels = _FEWEST_PIXELS
    if gpu:
        batch = _TO_TRAINED * training.batch_size // training.accumulate * image
        pixels = min(max(pixels, batch), _MOST_PIXELS)
    return max(1, pixels // image)


def classification(
    plan: StudyPlan, *, root: str, device: torch.device, images: Splits | None = None
) -> "Classification":
    """Make the task of classifying the images of a study, on a device."""
    return Classification(
        plan.training,
        load(plan.data, Path(root)) if images is None else images,
        device=device,
        resolution=plan.data.resolution,
        share=plan.resources.gpu or 1.0,
        workers=plan.resources.cpu,
        classes=plan.data.class_names,
    )


@dataclass(frozen=True, slots=True)
class ImageBatch:
    """Normalised images (N, C, H, W) in channels_last, and their targets."""

    images: Tensor
    targets: Targets

    def pieces(self, count: int) -> Iterator[tuple["ImageBatch", float]]:
        """As in `search.tasks.base.Batch.pieces`."""
        start = 0
        for images in self.images.chunk(count):
            stop = start + len(images)
            piece = ImageBatch(images, self.targets.part(start, stop))
            yield piece, len(images) / len(self.images)
            start = stop


class _Held(NamedTuple):
    """Images in a store, with their labels (N,) on the device."""

    store: Store
    labels: Tensor


class Classification:
    """Images on a device, augmented there in batches.

    Args:
        training: recipe of every trial.
        splits: the images.
        device: where everything runs; as many of the images as fit are moved there.
        resolution: resolution of the images that networks see, in pixels; by default the
            images' own side.
        share: share of the device that one trial has, 1 for all of it.
        workers: processes that decode images, where they are not kept decoded.
        classes: their names, where they have some.
    """

    def __init__(  # noqa: PLR0913 - by keyword; `classification` sets them from a plan
        self,
        training: PlannedTraining,
        splits: Splits,
        *,
        device: torch.device,
        resolution: int | None = None,
        share: float = 1.0,
        workers: int = 1,
        classes: tuple[str, ...] = (),
    ) -> None:
        self._training, self._device, self._classes = training, device, classes
        self._mean, self._std = splits.mean, splits.std
        side = splits.train.side
        self.resolution = resolution or side
        self.augmentation = Augmentation(
            training,
            side=side,
            resolution=self.resolution,
            mean=splits.mean.to(device),
            std=splits.std.to(device),
            dtype=dtype_of(training.precision),
        )
        room = Room(device, share=share)

        def held(split: Split, prepare: Prepare) -> _Held:
            store = make_store(split, device, prepare, room=room, workers=workers)
            return _Held(store, split.labels.to(device))

        self._train = held(splits.train, self.augmentation.stored)
        self._scored = {
            "validation": held(splits.validation, _as_it_is),
            "test": held(splits.test, _as_it_is),
        }
        count = len(self._train.labels)
        self.batch_size = min(training.batch_size, count)
        self.steps = training.steps(count)
        self._at_once = scored_at_once(training, self.resolution, gpu=device.type == "cuda")

    def network(self, architecture: Architecture, *, seed: int) -> nn.Module:
        """The classifier itself."""
        gpu = self._device.type == "cuda"
        # The batch size at which one network ran out of memory says nothing about the next.
        self._at_once = scored_at_once(self._training, self.resolution, gpu=gpu)
        if not gpu:
            numbers = cost(architecture, image_size=self.resolution).activations
            self._at_once = max(1, min(self._at_once, _MOST_NUMBERS // numbers))
        return build(architecture, seed=seed, device=self._device)

    def sample(self, pieces: int) -> Tensor | None:
        """Zeros as large as the first piece; None where pieces differ in size."""
        side, dtype = self.resolution, dtype_of(self._training.precision)
        shape = (self.batch_size, side, side, len(self._mean))
        batch = torch.zeros(shape, dtype=dtype, device=self._device)
        cut = batch.permute(0, 3, 1, 2).chunk(pieces)
        return cut[0] if len({len(piece) for piece in cut}) == 1 else None

    def batches(self, generator: torch.Generator, *, start: int) -> Iterator[ImageBatch]:
        """Batches in an order, and with augmentation, drawn anew for each epoch."""
        size, count = self.batch_size, len(self._train.labels)
        order = torch.randperm(count, device=self._device, generator=generator)
        draws = draw(
            self._training,
            self.steps * size,
            side=self.augmentation.side,
            resolution=self.resolution,
            generator=generator,
        )
        rows = torch.split(order[: self.steps * size], size)[start:]
        gathered = self._train.store.batches(rows)
        starts = range(start * size, self.steps * size, size)
        for batch, row, at in zip(gathered, rows, starts, strict=True):
            labels = self._train.labels[row]
            yield ImageBatch(
                *self.augmentation.batch(*batch, labels, draws.part(at, at + size))
            )

    def loss(self, forward: Forward, piece: ImageBatch) -> Tensor:
        """Mean cross-entropy, over both labels where images are mixed."""
        logits = forward(piece.images)
        return mixed_loss(logits, piece.targets, smoothing=self._training.label_smoothing)

    def scores(self, forward: Forward, split: SplitName) -> dict[str, float]:
        """Top-1 and top-5 error in percent; in smaller batches if memory is short."""
        size = min(self._at_once, len(self._scored[split].labels))
        while True:
            try:
                return self._errors(forward, self._scored[split], size)
            except (RuntimeError, MemoryError) as error:
                if size == 1 or not is_out_of_memory(error):
                    raise
            size = self._at_once = size // 2  # kept for next time: it would not fit either

    def facts(self) -> dict[str, Any]:
        """Names of the classes, and mean and std of the pixels in 0 to 1."""
        return {
            "classes": list(self._classes),
            "mean": (self._mean / 255).tolist(),
            "std": (self._std / 255).tolist(),
            "resolution": self.resolution,
        }

    def _errors(self, forward: Forward, held: _Held, size: int) -> dict[str, float]:
        device, labels = self._device, held.labels
        wrong = torch.zeros(2, dtype=torch.int64, device=device)
        finite = torch.ones((), dtype=torch.bool, device=device)
        chosen = torch.split(torch.arange(len(labels), device=device), size)
        for rows, gathered in zip(chosen, held.store.batches(chosen), strict=True):
            logits = forward(self.augmentation.plain(gathered.images[gathered.positions]))
            best = logits.float().topk(min(5, logits.shape[1])).indices
            hit = best == labels[rows, None]
            wrong += torch.stack([(~hit[:, 0]).sum(), (~hit.any(1)).sum()])
            finite &= logits.isfinite().all()
        if not finite:
            raise DivergedError("the network puts out numbers that are not finite")
        top1, top5 = (100 * wrong.double() / len(labels)).tolist()
        return {"error": top1, "error_top5": top5}


def _as_it_is(images: Tensor) -> Tensor:
    return images
