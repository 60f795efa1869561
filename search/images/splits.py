"""Splits the images of a study into train, validation and test, as uint8.

The validation images are cut from the official train images, the same for every trial and
every study; the test images are those of the data set (for ImageNet its validation images).
"""

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from search.images.cache import CachedImages, open_cache
from search.images.resolve import tree_of
from search.images.sets import Arrays, cut_evenly, load_arrays
from search.images.storage import request_of
from search.images.tree import Files, Tree
from search.schema.data import PlannedData

Indices = npt.NDArray[np.intp]
_AT_ONCE = 4096  # images resized at once, to limit memory
_COUNTED_AT_ONCE = 256  # images whose levels are counted at once, for the same reason
LUMA = (19595, 38470, 7471)  # ITU-R 601-2, in 1/65536: the weights of Pillow's "L"


class Undecoded(NamedTuple):
    """Image files that are decoded each time, as squares of `side` pixels."""

    files: Files
    side: int
    channels: int = 3


class Split(NamedTuple):
    """Images for one purpose.

    Attributes:
        images: (M, side, side, channels) as uint8, in memory or in a mapped file; or files.
        rows: (N,) as int64, which of `images` belong to the split.
        labels: (N,) as int64.
    """

    images: Tensor | Undecoded
    rows: Tensor
    labels: Tensor

    @property
    def side(self) -> int:
        """Side of the square images, in pixels."""
        images = self.images
        return images.side if isinstance(images, Undecoded) else images.shape[1]


class Splits(NamedTuple):
    """The images of a study; mean and std (channels,) of the training pixels, 0 to 255."""

    train: Split
    validation: Split
    test: Split
    mean: Tensor
    std: Tensor


def load(data: PlannedData, root: Path) -> Splits:
    """Read a data set that `search.images.preparing` has prepared.

    Args:
        data: which set, how many validation images, how many to train on.
        root: the folder that holds the official folder, or train/ and val/.
    """
    if data.tree:
        return _load_tree(data, root)
    train, test = (
        resized(in_channels(arrays, data.channels), data.resize)
        for arrays in load_arrays(data.name, root)
    )
    kept, cut = _shares(data, train[1])
    mean, std = _moments(train[0], kept)
    return Splits(
        train=_split(train, kept),
        validation=_split(train, cut),
        test=_split(test, np.arange(len(test[1]))),
        mean=mean.float(),
        std=std.float().clamp_min(1),
    )


def _moments(images: npt.NDArray[np.uint8], chosen: Indices) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (channels,) of the pixels of some images, in float64.

    How often each of the 256 levels occurs says both exactly. Pixels as float64 would take
    eight times the memory of the images, and CIFAR five seconds in each process.
    """
    counts = np.zeros((images.shape[-1], 256), np.int64)
    for start in range(0, len(chosen), _COUNTED_AT_ONCE):
        part = images[chosen[start : start + _COUNTED_AT_ONCE]]
        for channel in range(len(counts)):
            counts[channel] += np.bincount(part[..., channel].ravel(), minlength=256)
    levels, pixels = np.arange(256.0), counts.sum(1)
    mean = counts @ levels / pixels
    squares = (counts * (levels - mean[:, None]) ** 2).sum(1)
    return torch.from_numpy(mean), torch.from_numpy(np.sqrt(squares / pixels))


def in_channels(arrays: Arrays, channels: int) -> Arrays:
    """Turn colour images grey where one channel is asked for, as Pillow's "L" does.

    Args:
        arrays: uint8 images (N, side, side, C) and labels.
        channels: C, or 1 where C is 3.
    """
    images, labels = arrays
    if images.shape[-1] == channels:
        return arrays
    # In whole numbers, one channel at a time: CIFAR in 64 bits would take gigabytes.
    grey = np.full(images.shape[:-1], 1 << 15, np.uint32)
    for channel, weight in enumerate(LUMA):
        grey += images[..., channel].astype(np.uint32) * np.uint32(weight)
    return (grey >> 16).astype(np.uint8)[..., None], labels


def resized(arrays: Arrays, side: int) -> Arrays:
    """Images of another side, as by Pillow's bilinear filter, to within one level of 255.

    Args:
        arrays: uint8 images (N, S, S, C) and labels.
        side: in pixels; S leaves them unchanged.
    """
    images, labels = arrays
    if images.shape[1] == side:
        return arrays
    made = np.empty((len(images), side, side, images.shape[3]), np.uint8)
    for start in range(0, len(images), _AT_ONCE):
        part = torch.from_numpy(images[start : start + _AT_ONCE]).permute(0, 3, 1, 2).float()
        part = interpolate(part, size=(side, side), mode="bilinear", antialias=True)
        kept = part.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
        made[start : start + _AT_ONCE] = kept.numpy()
    return made, labels


def _split(arrays: Arrays, chosen: Indices) -> Split:
    images = torch.from_numpy(np.ascontiguousarray(arrays[0][chosen]))
    return Split(images, torch.arange(len(chosen)), torch.from_numpy(arrays[1][chosen]))


def _load_tree(data: PlannedData, root: Path) -> Splits:
    tree: Tree = tree_of(data, root, place=lambda key: f"data.{key}")
    train, test = (open_cache(request_of(files, data, root)) for files in tree[1:])
    # Cut before damaged images are left out, so that repairing one does not move others.
    shares = _shares(data, tree.train.labels)
    kept, cut = (share[np.isin(share, train.readable)] for share in shares)
    sums = train.sums[kept].sum(0) / (len(kept) * data.resize**2)
    mean, squares = torch.split(torch.from_numpy(sums), data.channels)
    return Splits(
        train=_tree_split(tree.train, train, kept, data),
        validation=_tree_split(tree.train, train, cut, data),
        test=_tree_split(tree.test, test, test.readable, data),
        mean=mean.float(),
        std=(squares - mean**2).clamp_min(1).sqrt().float(),
    )


def _tree_split(files: Files, cached: CachedImages, rows: Indices, data: PlannedData) -> Split:
    images: Tensor | Undecoded = Undecoded(files, data.resize, data.channels)
    if cached.pixels is not None:
        with warnings.catch_warnings():  # about writing to it, which we do not
            warnings.filterwarnings("ignore", "The given NumPy array is not writable")
            images = torch.from_numpy(cached.pixels)
    return Split(images, torch.from_numpy(rows), torch.from_numpy(files.labels[rows]))


def _shares(data: PlannedData, labels: npt.NDArray[np.int64]) -> tuple[Indices, Indices]:
    """Indices to train on and to validate on."""
    kept, cut = cut_evenly(labels, data.validation)
    return kept[: data.train], cut
