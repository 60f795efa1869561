"""Loaders of the data sets that are not trees of files: their images as arrays.

Each takes the root folder and returns train and test, each (images, labels): uint8
(N, side, side, 3) and int64 (N,).
"""

import gzip
import pickle
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from search.schema.datasets import DATASETS
from search.schema.seeds import seed_of

# Functions that the official pickles call, by their names in NumPy 1.
_ARRAYS: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
}
_DIGITS = "sklearn/datasets/data/digits.csv.gz"
_SPLIT_SEED = 0  # of every cut; never the study's, so that studies are comparable
Indices = npt.NDArray[np.intp]
Arrays = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]


def load_arrays(name: str, root: Path) -> tuple[Arrays, Arrays]:
    """Train and test of a data set of the table, or of a foreign one.

    Args:
        name: in DATASETS, or `module:attribute` of an object with a method `load(root)`.
        root: the folder of the data sets.
    """
    made = DATASETS.make(name)
    train, test = made.load(root) if hasattr(made, "load") else made(root)
    return _as_arrays(*train), _as_arrays(*test)


def _as_arrays(images: Any, labels: Any) -> Arrays:
    """As arrays, where somebody's set has lists, or whole numbers of another size."""
    numbers = np.asarray(labels)
    whole = np.issubdtype(numbers.dtype, np.integer)  # others are refused when they are checked
    return np.asarray(images), numbers.astype(np.int64, copy=False) if whole else numbers


def cut_evenly(labels: npt.NDArray[np.int64], size: int) -> tuple[Indices, Indices]:
    """Indices to keep and to cut: `size` images, as evenly over the classes as possible.

    In both, classes take turns, so that the first n of them are even too.
    """
    shuffled = np.random.default_rng(_SPLIT_SEED).permutation(len(labels))
    turn = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels[shuffled] == label)
        turn[members] = np.arange(len(members))
    order = shuffled[np.argsort(turn, kind="stable")]
    return order[size:], order[:size]


def digits(root: Path) -> tuple[Arrays, Arrays]:  # noqa: ARG001 - they come with scikit-learn
    """UCI's handwritten digits as grey images of 8x8 pixels, 1,437 and 360 of them.

    They are read from scikit-learn's file without importing scikit-learn, which takes seconds
    in each process.
    """
    with gzip.open(str(distribution("scikit-learn").locate_file(_DIGITS))) as file:
        rows = np.loadtxt(file, delimiter=",")
    grey = np.round(rows[:, :-1].reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    arrays = (np.repeat(grey[..., None], 3, axis=3), rows[:, -1].astype(np.int64))
    kept, cut = cut_evenly(arrays[1], DATASETS["digits"].test)
    return (arrays[0][kept], arrays[1][kept]), (arrays[0][cut], arrays[1][cut])


def synthetic(root: Path) -> tuple[Arrays, Arrays]:  # noqa: ARG001 - made, not read
    """Four noisy patterns that any network can learn to distinguish."""
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
        batches = [_batch(folder / file, key) for file in train]
        joined = (
            np.concatenate([b[0] for b in batches]),
            np.concatenate([b[1] for b in batches]),
        )
        return joined, _batch(folder / test, key)

    return load_cifar


class _OnlyArrays(pickle.Unpickler):
    """Reads only the official pickles: they hold arrays, which run no code when loaded.

    Their md5 is checked before a study begins, but workers read them again later.
    """

    def find_class(self, module: str, name: str) -> Any:
        """The array-making function for an old NumPy name; any other name is refused."""
        try:
            return _ARRAYS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is no array") from None


def _batch(path: Path, key: str) -> Arrays:
    with path.open("rb") as file:
        batch = _OnlyArrays(file, encoding="latin1").load()
    images = batch["data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return images, np.asarray(batch[key], dtype=np.int64)


cifar10 = _cifar(
    "cifar10", tuple(f"data_batch_{n}" for n in range(1, 6)), "test_batch", "labels"
)
cifar100 = _cifar("cifar100", ("train",), "test", "fine_labels")
