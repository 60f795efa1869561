"""Where a split's images are while trials run, and how batches of them reach the device.

Three ways, the same pixels: resident on the device, gathered from a memory-mapped file while
the device computes, or decoded by worker processes.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from search.images.decoding import decode
from search.images.splits import Split, Undecoded

# Bytes of a split that may stay in memory: CIFAR does; of a GPU a quarter.
_RESIDENT_ON_CPU = 1 << 30
_RESIDENT_SHARE = 0.25

Prepare = Callable[[Tensor], Tensor]


class Gathered(NamedTuple):
    """A batch on the device: its images are `images[positions]`, prepared."""

    images: Tensor
    positions: Tensor


class Store(Protocol):
    """Gives batches of a split's images, prepared as the store was told."""

    def batches(self, chosen: Sequence[Tensor]) -> Iterator[Gathered]:
        """One batch for each tensor of positions (N,) in the split."""


def make_store(split: Split, device: torch.device, prepare: Prepare, *, workers: int) -> Store:
    """The quickest store that the device has room for.

    Args:
        split: whose images.
        device: where batches are wanted.
        prepare: uint8 images (N, side, side, 3) as batches need them, such as padded.
        workers: processes that decode, where images are not kept decoded.
    """
    images = split.images
    if isinstance(images, Undecoded):
        return _Decoded(split, images, device, prepare, workers)
    if len(split.rows) * images[:1].numel() <= _room(device):
        whole = len(split.rows) == len(images)
        kept = images if whole else images[split.rows]
        return _Resident(prepare(kept.to(device)))
    return _Mapped(images, split.rows, device, prepare)


def _room(device: torch.device) -> float:
    if device.type != "cuda":
        return _RESIDENT_ON_CPU
    return torch.cuda.get_device_properties(device).total_memory * _RESIDENT_SHARE


class _Resident:
    """All images on the device, prepared once."""

    def __init__(self, images: Tensor) -> None:
        self._images = images

    def batches(self, chosen: Sequence[Tensor]) -> Iterator[Gathered]:
        for index in chosen:
            yield Gathered(self._images, index)


class _Mapped:
    """Images of a memory-mapped file; a thread gathers the next batch."""

    def __init__(
        self, images: Tensor, rows: Tensor, device: torch.device, prepare: Prepare
    ) -> None:
        self._images, self._rows = images, rows
        self._device, self._prepare = device, prepare

    def batches(self, chosen: Sequence[Tensor]) -> Iterator[Gathered]:
        if not chosen:
            return
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self._gather, chosen[0])
            for index in (*chosen[1:], None):
                ready = coming.result()
                if index is not None:
                    coming = ahead.submit(self._gather, index)
                yield _on_device(ready, self._device, self._prepare)

    def _gather(self, index: Tensor) -> Tensor:
        return _pinned(self._images[self._rows[index.cpu()]], self._device)


class _Decoded:
    """Image files, decoded by processes that are some batches ahead."""

    def __init__(
        self,
        split: Split,
        undecoded: Undecoded,
        device: torch.device,
        prepare: Prepare,
        workers: int,
    ) -> None:
        self._images = _Squares(undecoded, split.rows)
        self._device, self._prepare, self._workers = device, prepare, workers

    def batches(self, chosen: Sequence[Tensor]) -> Iterator[Gathered]:
        loader = DataLoader(
            self._images,
            batch_sampler=[index.tolist() for index in chosen],
            num_workers=self._workers,
            multiprocessing_context="forkserver" if self._workers else None,
            pin_memory=self._device.type == "cuda",
        )
        for images in loader:
            yield _on_device(images, self._device, self._prepare)


class _Squares(torch.utils.data.Dataset[Tensor]):
    """Position in a split to image."""

    def __init__(self, undecoded: Undecoded, rows: Tensor) -> None:
        self._undecoded, self._rows = undecoded, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, position: int) -> Tensor:
        files, side = self._undecoded
        name = files.names[int(self._rows[position])]
        return torch.from_numpy(decode(files.folder / name, side))


def _pinned(images: Tensor, device: torch.device) -> Tensor:
    return images.pin_memory() if device.type == "cuda" else images


def _on_device(images: Tensor, device: torch.device, prepare: Prepare) -> Gathered:
    prepared = prepare(images.to(device, non_blocking=True))
    return Gathered(prepared, torch.arange(len(prepared), device=device))
