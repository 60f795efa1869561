"""One network trained on one split: the same result for the same arguments, whenever.

Every random choice of an epoch comes from (seed, epoch), so that an interrupted training goes
on from its last epoch as if nothing had happened. Nothing leaves the device inside an epoch.
"""

import math
import time
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from res2net import Architecture, build
from search.augmentation import Augmentation, normalise
from search.config import Training
from search.data import Split, Splits
from search.records import Epoch
from search.seeds import seed_of

_EVALUATION_BATCH = 1000  # images; error does not depend on it


class DivergedError(ArithmeticError):
    """The loss is no longer a number."""


class Bench:
    """What trials that follow each other in one process share: images on the device.

    Args:
        recipe: how every trial trains.
        splits: the images; moved to the device.
        device: where everything happens.
    """

    def __init__(self, recipe: Training, splits: Splits, *, device: torch.device) -> None:
        self.recipe, self.device = recipe, device
        self.splits = splits.to(device)
        self.augmentation = Augmentation(
            self.splits.train,
            mean=self.splits.mean,
            std=self.splits.std,
            crop=recipe.crop or 0,
            flip=bool(recipe.flip),
        )


class Trainer:
    """A network and its optimiser on a bench.

    Args:
        architecture: of the network.
        bench: recipe, images, device.
        epochs: length of the schedule.
        seed: of weights, order and augmentation.
    """

    def __init__(
        self, architecture: Architecture, bench: Bench, *, epochs: int, seed: int
    ) -> None:
        self._recipe, self._splits, self._device = bench.recipe, bench.splits, bench.device
        self._augmentation = bench.augmentation
        self._epochs, self._seed = epochs, seed
        recipe, device = bench.recipe, bench.device
        network: nn.Module = build(architecture, seed=seed_of(seed, "weights"), device=device)
        self._network = network.to(memory_format=torch.channels_last)
        self._optimizer = torch.optim.SGD(
            self._network.parameters(),
            lr=recipe.lr,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
            weight_decay=recipe.weight_decay,
            fused=True,
        )

    def epoch(self, number: int, *, trial: int) -> Epoch:
        """Train one epoch (counted from 1) and validate.

        Raises:
            DivergedError: the training loss became infinite or not a number.
        """
        start = time.perf_counter()
        loss, images = self._train(number)
        trained = time.perf_counter() - start
        error, error_top5 = self._errors(self._splits.validation)
        return Epoch(
            trial=trial,
            epoch=number,
            train_loss=loss,
            val_error=error,
            val_error_top5=error_top5,
            images_per_s=images / trained,
            seconds=time.perf_counter() - start,
        )

    def test(self) -> tuple[float, float]:
        """Top-1 and top-5 error in percent on the test images; call it once, at the end."""
        return self._errors(self._splits.test)

    def state(self) -> dict[str, Any]:
        """Weights and optimiser; with the number of epochs, all that training depends on."""
        return {
            "network": self._network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a state of the same architecture and recipe."""
        self._network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])

    def _train(self, number: int) -> tuple[float, int]:
        """Mean loss of the epoch, and the images seen."""
        generator = torch.Generator(self._device)
        generator.manual_seed(seed_of(self._seed, "epoch", number))
        batches = self._batches(generator)
        total = torch.zeros((), device=self._device)
        self._network.train()
        for step, index in enumerate(batches):
            rate = learning_rate(self._recipe, number - 1 + step / len(batches), self._epochs)
            for group in self._optimizer.param_groups:
                group["lr"] = rate
            images, labels = self._augmentation.batch(index, generator)
            with self._autocast():
                logits = self._network(images)
            loss = F.cross_entropy(
                logits.float(), labels, label_smoothing=self._recipe.label_smoothing
            )
            self._optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            self._optimizer.step()
            total += loss.detach()
        mean = total.item() / len(batches)
        if not math.isfinite(mean):
            raise DivergedError(f"the training loss of epoch {number} is {mean}")
        return mean, sum(map(len, batches))

    def _batches(self, generator: torch.Generator) -> list[torch.Tensor]:
        """A permutation of the images in batches of one size; the rest waits for the next."""
        count, size = len(self._splits.train.labels), self._recipe.batch_size
        order = torch.randperm(count, device=self._device, generator=generator)
        return list(torch.split(order[: max(count // size, 1) * size], size))

    @torch.no_grad()
    def _errors(self, split: Split) -> tuple[float, float]:
        self._network.eval()
        wrong = torch.zeros(2, dtype=torch.int64, device=self._device)
        finite = torch.ones((), dtype=torch.bool, device=self._device)
        for start in range(0, len(split.labels), _EVALUATION_BATCH):
            part = slice(start, start + _EVALUATION_BATCH)
            images = normalise(split.images[part], self._splits.mean, self._splits.std)
            with self._autocast():
                logits = self._network(images)
            best = logits.float().topk(min(5, logits.shape[1])).indices
            hit = best == split.labels[part, None]
            wrong += torch.stack([(~hit[:, 0]).sum(), (~hit.any(1)).sum()])
            finite &= logits.isfinite().all()
        if not finite:
            raise DivergedError("the network puts out numbers that are not finite")
        top1, top5 = (100 * wrong.double() / len(split.labels)).tolist()
        return top1, top5

    def _autocast(self) -> torch.autocast:
        bf16 = self._recipe.precision == "bf16"
        return torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=bf16)


def learning_rate(recipe: Training, epoch: float, epochs: int) -> float:
    """Learning rate after `epoch` (a real number) of `epochs`.

    Linear from 0 over `warmup` epochs; then, over the whole length, half a cosine down to 0,
    or a factor `gamma` at each milestone (a share of the length).
    """
    if epoch < recipe.warmup:
        return recipe.lr * epoch / recipe.warmup
    done = epoch / epochs
    if recipe.schedule == "cosine":
        return recipe.lr * (1 + math.cos(math.pi * done)) / 2
    return recipe.lr * recipe.gamma ** sum(done >= milestone for milestone in recipe.milestones)
