"""Images in memory: train, validation and test, as uint8.

The validation images are cut from the official train images, the same for every trial and
every study; the test images are those of the data set.
"""

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from search.config import Data
from search.datasets import DATASETS
from search.seeds import seed_of

_SPLIT_SEED = 0  # of every cut; never the study's, so that studies can be compared
Arrays = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]


class Split(NamedTuple):
    """Images (N, H, W, 3) as uint8 and labels (N,) as int64, on one device."""

    images: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> "Split":
        """The same on another device."""
        return Split(self.images.to(device), self.labels.to(device))


class Splits(NamedTuple):
    """The images of a study; mean and std (3,) of the training pixels, in 0 to 255."""

    train: Split
    validation: Split
    test: Split
    mean: Tensor
    std: Tensor

    def to(self, device: torch.device) -> "Splits":
        """The same on another device."""
        return Splits(
            train=self.train.to(device),
            validation=self.validation.to(device),
            test=self.test.to(device),
            mean=self.mean.to(device),
            std=self.std.to(device),
        )


def load(data: Data, root: Path) -> Splits:
    """Read a data set whose files `search.datasets.require` has checked.

    Args:
        data: which set, how many validation images, how many to train on.
        root: the folder that holds the official folder.
    """
    train, test = _LOADERS[data.name](root)
    kept, cut = _cut(train, data.validation)
    if data.train is not None:
        kept = kept[: data.train]
    images, labels = train
    pixels = images[kept].reshape(-1, 3)
    return Splits(
        train=_split(images[kept], labels[kept]),
        validation=_split(images[cut], labels[cut]),
        test=_split(*test),
        mean=torch.from_numpy(pixels.mean(0, dtype=np.float64)).float(),
        std=torch.from_numpy(pixels.std(0, dtype=np.float64)).float().clamp_min(1),
    )


def _split(images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64]) -> Split:
    return Split(torch.from_numpy(np.ascontiguousarray(images)), torch.from_numpy(labels))


def _cut(arrays: Arrays, size: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Indices to keep and to cut: `size` images, as evenly over the classes as can be.

    Both come class by class in turn, so that the first n of them are even too.
    """
    labels = arrays[1]
    shuffled = np.random.default_rng(_SPLIT_SEED).permutation(len(labels))
    turn = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels[shuffled] == label)
        turn[members] = np.arange(len(members))
    order = shuffled[np.argsort(turn, kind="stable")]
    return order[size:], order[:size]


def _digits(root: Path) -> tuple[Arrays, Arrays]:  # noqa: ARG001 - they come with scikit-learn
    from sklearn.datasets import load_digits  # noqa: PLC0415 - 1.5 s that others need not pay

    bunch = load_digits()
    grey = np.round(bunch.images * (255 / 16)).astype(np.uint8)
    arrays = (np.repeat(grey[..., None], 3, axis=3), bunch.target.astype(np.int64))
    kept, cut = _cut(arrays, DATASETS["digits"].test)
    return (arrays[0][kept], arrays[1][kept]), (arrays[0][cut], arrays[1][cut])


def _synthetic(root: Path) -> tuple[Arrays, Arrays]:  # noqa: ARG001 - made, not read
    """Four noisy patterns that any network tells apart."""
    facts = DATASETS["synthetic"]
    rng = np.random.default_rng(seed_of(_SPLIT_SEED, "synthetic"))
    side = facts.image_size
    patterns = rng.integers(0, 2, (facts.classes, side, side, 3)) * 128 + 64

    def draw(count: int) -> Arrays:
        labels = np.arange(count) % facts.classes
        noisy = patterns[labels] + rng.normal(0, 32, (count, side, side, 3))
        return noisy.clip(0, 255).astype(np.uint8), labels

    return draw(facts.train), draw(facts.test)


def _cifar(
    name: str, train: tuple[str, ...], test: str, key: str
) -> Callable[[Path], tuple[Arrays, Arrays]]:
    def load_cifar(root: Path) -> tuple[Arrays, Arrays]:
        folder = root / DATASETS[name].folder
        parts = [_batch(folder / file, key) for file in train]
        joined = (np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]))
        return joined, _batch(folder / test, key)

    return load_cifar


def _batch(path: Path, key: str) -> Arrays:
    # The md5 was checked against the official file's before, so this is that very pickle.
    with path.open("rb") as file:
        batch = pickle.load(file, encoding="latin1")  # noqa: S301 - see above
    images = batch["data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return images, np.asarray(batch[key], dtype=np.int64)


_LOADERS: Mapping[str, Callable[[Path], tuple[Arrays, Arrays]]] = {
    "digits": _digits,
    "synthetic": _synthetic,
    "cifar10": _cifar(
        "cifar10", tuple(f"data_batch_{n}" for n in range(1, 6)), "test_batch", "labels"
    ),
    "cifar100": _cifar("cifar100", ("train",), "test", "fine_labels"),
}
