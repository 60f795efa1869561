"""One epoch of training and validation of a network by the plain PyTorch loop and by ours.

Both start from the same weights and record what they did, so that they can be compared.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision import datasets, transforms

from res2net import Architecture, build
from search.engine.bench import Bench
from search.engine.optimizer import make_optimizer
from search.engine.training import Trainer
from search.images.splits import Split, load
from search.schema.data import PlannedData
from search.schema.seeds import seed_of
from search.schema.training import PlannedTraining
from search.tasks.classification import Classification

_SEED = 0
_WORKERS = 2
_MEAN, _STD = (0.507, 0.487, 0.441), (0.267, 0.256, 0.276)  # CIFAR-100's usual values


class Task(NamedTuple):
    """What every side of a comparison trains, and for how long."""

    architecture: Architecture
    recipe: PlannedTraining
    data: PlannedData
    root: Path
    device: str


class Work(NamedTuple):
    """What was done in one epoch."""

    rates: tuple[float, ...]  # learning rate of each optimiser step
    trained: int  # images
    validated: int  # images
    loss: float  # mean training loss
    error: float  # validation error in percent
    images_per_s: float  # of training only
    preparation: float = 0.0  # seconds of capturing or compiling, before the first step


class Loop(Protocol):
    """A way to train, one epoch per call."""

    def epoch(self) -> Work:
        """Train once over the images, then validate."""


@contextmanager
def noted_rates() -> Iterator[list[float]]:
    """Record the learning rate of every step of any optimiser, read from the optimiser."""
    rates: list[float] = []

    def note(optimizer: Optimizer, *_: Any) -> None:
        rates.append(float(optimizer.param_groups[0]["lr"]))

    handle = register_optimizer_step_pre_hook(note)
    try:
        yield rates
    finally:
        handle.remove()


class PlainLoop:
    """The loop as most people write it: torchvision, DataLoader, float32, item() per step.

    Its workers persist between epochs, because starting them would cost a short epoch
    relatively more than a full one.
    """

    def __init__(self, task: Task) -> None:
        self.device = torch.device(task.device)
        recipe = task.recipe
        self.network = build(
            task.architecture, seed=seed_of(_SEED, "weights"), device=self.device
        )
        self.train, self.held_out = _loaders(task)
        self._optimizer = SGD(
            self.network.parameters(),
            lr=recipe.lr,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
            weight_decay=recipe.weight_decay,
        )
        steps = recipe.epochs * len(self.train)
        self._scheduler = CosineAnnealingLR(self._optimizer, T_max=steps)

    def epoch(self) -> Work:
        """Train once over the images, then validate."""
        begin = time.perf_counter()
        with noted_rates() as rates:
            losses, trained = self._train()
        seconds = time.perf_counter() - begin
        wrong, seen = self._evaluate()
        mean = sum(losses) / len(losses)
        return Work(tuple(rates), trained, seen, mean, 100 * wrong / seen, trained / seconds)

    def _train(self) -> tuple[list[float], int]:
        self.network.train()
        losses, seen = [], 0
        for batch, targets in self.train:
            images, labels = batch.to(self.device), targets.to(self.device)
            self._optimizer.zero_grad()
            loss = F.cross_entropy(self.network(images), labels)
            loss.backward()
            self._optimizer.step()
            self._scheduler.step()
            losses.append(loss.item())
            seen += len(labels)
        return losses, seen

    @torch.no_grad()
    def _evaluate(self) -> tuple[int, int]:
        self.network.eval()
        wrong = seen = 0
        for batch, targets in self.held_out:
            images, labels = batch.to(self.device), targets.to(self.device)
            wrong += int((self.network(images).argmax(1) != labels).sum().item())
            seen += len(labels)
        return wrong, seen


class OurLoop:
    """The loop of search.engine, on images as split by `search.images`.

    Args:
        task: the task to train.
        network: replaces the network that the trainer builds, and gets its weights.
    """

    def __init__(self, task: Task, network: nn.Module | None = None) -> None:
        device = torch.device(task.device)
        splits = load(task.data, task.root)
        images = Classification(task.recipe, splits, device=device)
        torch.backends.cudnn.benchmark = True  # as in every trial
        bench = Bench(task.recipe, images, ("error", "error_top5"), device)
        self.trainer = Trainer(task.architecture, bench, epochs=task.recipe.epochs, seed=_SEED)
        self._trained = task.recipe.batch_size
        self._validated = len(splits.validation.labels)
        if network is not None:
            self._exchange(network, bench)

    def epoch(self) -> Work:
        """Train once over the images, then validate."""
        with noted_rates() as rates:
            epoch = self.trainer.epoch(trial=0)
        assert epoch is not None, "without a limit of time it comes to its end"
        return Work(
            tuple(rates),
            len(rates) * self._trained,
            self._validated,
            epoch.metrics["train_loss"],
            epoch.metrics["val_error"],
            epoch.images_per_s,
            self.trainer.preparation,
        )

    def _exchange(self, network: nn.Module, bench: Bench) -> None:
        # The trainer builds its networks itself; only a comparison needs a different one.
        network.load_state_dict(self.trainer.trained.state_dict(), strict=True)
        network = network.to(bench.device, memory_format=torch.channels_last)
        self.trainer._network = network
        self.trainer._optimizer = make_optimizer(network, bench.recipe)


class Pictures(Dataset[tuple[Any, int]]):
    """Images of a split in the form of torchvision's own data sets."""

    def __init__(self, split: Split, transform: transforms.Compose) -> None:
        assert isinstance(split.images, Tensor), "in memory"
        self._images = split.images[split.rows].numpy()
        self._labels = split.labels.tolist()
        self._transform = transform

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self._transform(Image.fromarray(self._images[index])), self._labels[index]


def _loaders(task: Task) -> tuple["DataLoader[Any]", "DataLoader[Any]"]:
    """Loaders with the same numbers of training and validation images as ours."""
    recipe, size = task.recipe, task.data.resolution
    whole = [transforms.ToTensor(), transforms.Normalize(_MEAN, _STD)]
    moved = [transforms.RandomCrop(size, padding=recipe.crop or None)]
    mirrored = [transforms.RandomHorizontalFlip()] if recipe.flip else []
    augmented = transforms.Compose([*moved, *mirrored, *whole])
    train, held_out = _image_sets(task, augmented, transforms.Compose(whole))

    def loader(images: "Dataset[Any]", count: int, *, shuffle: bool) -> "DataLoader[Any]":
        return DataLoader(
            Subset(images, range(count)),
            batch_size=recipe.batch_size,
            shuffle=shuffle,
            num_workers=_WORKERS,
            # Linux's default, which a spawned process does not have.
            multiprocessing_context="fork",
            persistent_workers=True,
            pin_memory=task.device == "cuda",
        )

    return (
        loader(train, task.data.train, shuffle=True),
        loader(held_out, task.data.validation, shuffle=False),
    )


def _image_sets(
    task: Task, augmented: transforms.Compose, plain: transforms.Compose
) -> tuple["Dataset[Any]", "Dataset[Any]"]:
    if task.data.name == "cifar100":
        return (
            datasets.CIFAR100(task.root, transform=augmented),
            datasets.CIFAR100(task.root, train=False, transform=plain),
        )
    splits = load(task.data, task.root)
    return Pictures(splits.train, augmented), Pictures(splits.validation, plain)


def with_recipe(task: Task, **changes: object) -> Task:
    """The same task with a changed recipe."""
    recipe = PlannedTraining.model_validate(task.recipe.model_dump() | changes)
    return task._replace(recipe=recipe)
