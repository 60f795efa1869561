"""The images of a study: train, validation and test, as uint8.

The validation images are cut from the official train images, the same for every trial and
every study; the test images are those of the data set (of ImageNet its validation images).
"""

import pickle
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from search.images.cache import CachedImages, open_cache
from search.images.resolve import tree_of
from search.images.storage import request_of
from search.images.tree import Files, Tree
from search.schema.data import Data
from search.schema.datasets import DATASETS
from search.schema.seeds import seed_of

_SPLIT_SEED = 0  # of every cut; never the study's, so that studies can be compared
Indices = npt.NDArray[np.intp]
Arrays = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]


class Undecoded(NamedTuple):
    """Image files to decode each time, as squares of `side` pixels."""

    files: Files
    side: int


class Split(NamedTuple):
    """Images of one purpose.

    Attributes:
        images: (M, side, side, 3) as uint8, in memory or of a memory-mapped file; or files.
        rows: (N,) as int64, which of `images` belong to the split.
        labels: (N,) as int64.
    """

    images: Tensor | Undecoded
    rows: Tensor
    labels: Tensor

    @property
    def side(self) -> int:
        """Of the square images, in pixels."""
        images = self.images
        return images.side if isinstance(images, Undecoded) else images.shape[1]


class Splits(NamedTuple):
    """The images of a study; mean and std (3,) of the training pixels, in 0 to 255."""

    train: Split
    validation: Split
    test: Split
    mean: Tensor
    std: Tensor


def load(data: Data, root: Path) -> Splits:
    """Read a data set that `search.images.preparing` has made ready.

    Args:
        data: which set, how many validation images, how many to train on.
        root: the folder that holds the official folder, or train/ and val/.
    """
    if DATASETS[data.name].tree:
        return _load_tree(data, root)
    train, test = _LOADERS[data.name](root)
    kept, cut = _shares(data, train[1])
    pixels = train[0][kept].reshape(-1, 3)
    return Splits(
        train=_split(train, kept),
        validation=_split(train, cut),
        test=_split(test, np.arange(len(test[1]))),
        mean=torch.from_numpy(pixels.mean(0, dtype=np.float64)).float(),
        std=torch.from_numpy(pixels.std(0, dtype=np.float64)).float().clamp_min(1),
    )


def _split(arrays: Arrays, chosen: Indices) -> Split:
    images = torch.from_numpy(np.ascontiguousarray(arrays[0][chosen]))
    return Split(images, torch.arange(len(chosen)), torch.from_numpy(arrays[1][chosen]))


def _load_tree(data: Data, root: Path) -> Splits:
    tree: Tree = tree_of(data, root, place=lambda key: f"data.{key}")
    train, test = (open_cache(request_of(files, data, root)) for files in tree[1:])
    # Cut before damaged images are left out, so that one that is mended moves no other.
    shares = _shares(data, tree.train.labels)
    kept, cut = (share[np.isin(share, train.readable)] for share in shares)
    sums = train.sums[kept].sum(0) / (len(kept) * data.side**2)
    mean, squares = torch.split(torch.from_numpy(sums), 3)
    return Splits(
        train=_tree_split(tree.train, train, kept, data.side),
        validation=_tree_split(tree.train, train, cut, data.side),
        test=_tree_split(tree.test, test, test.readable, data.side),
        mean=mean.float(),
        std=(squares - mean**2).clamp_min(1).sqrt().float(),
    )


def _tree_split(files: Files, cached: CachedImages, rows: Indices, side: int) -> Split:
    images: Tensor | Undecoded = Undecoded(files, side)
    if cached.pixels is not None:
        with warnings.catch_warnings():  # that torch could write to it; nothing here does
            warnings.filterwarnings("ignore", "The given NumPy array is not writable")
            images = torch.from_numpy(cached.pixels)
    return Split(images, torch.from_numpy(rows), torch.from_numpy(files.labels[rows]))


def _shares(data: Data, labels: npt.NDArray[np.int64]) -> tuple[Indices, Indices]:
    """Indices to train on and to validate on."""
    kept, cut = _cut(labels, data.validation)
    return kept if data.train is None else kept[: data.train], cut


def _cut(labels: npt.NDArray[np.int64], size: int) -> tuple[Indices, Indices]:
    """Indices to keep and to cut: `size` images, as evenly over the classes as can be.

    Both come class by class in turn, so that the first n of them are even too.
    """
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
    kept, cut = _cut(arrays[1], DATASETS["digits"].test)
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
