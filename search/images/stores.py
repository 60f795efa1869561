"""Stores keep the images of a split while trials run, and give batches of them.

There are three kinds, with the same pixels: resident on the device, gathered from a
memory-mapped file while the device computes, or decoded by worker processes.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import connection
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from res2net.child_processes import deaf_to_ctrl_c
from search.images.decoding import decode
from search.images.splits import Split, Undecoded

# What a study's images may occupy permanently on a device: CIFAR always fits.
_RESIDENT_ON_CPU = 1 << 30  # bytes
RESIDENT_SHARE = 0.25  # of a trial's share of a GPU
_MOMENT = 1.0  # seconds within which the end of a process is heard of

Prepare = Callable[[Tensor], Tensor]


class Gathered(NamedTuple):
    """A batch on the device: its images are `images[positions]`, prepared."""

    images: Tensor
    positions: Tensor


class Store(Protocol):
    """Gives batches of a split's images, prepared by the function given to the store."""

    def batches(self, chosen: Sequence[Tensor]) -> Iterator[Gathered]:
        """One batch for each tensor of positions (N,) in the split."""


class Room:
    """Bytes that are left for images on a device.

    Args:
        device: which device.
        share: share of the device that one trial has.
    """

    def __init__(self, device: torch.device, *, share: float) -> None:
        self._left = float(_RESIDENT_ON_CPU)
        if device.type == "cuda":
            total = torch.cuda.get_device_properties(device).total_memory
            self._left = total * RESIDENT_SHARE * min(share, 1.0)

    def take(self, size: int) -> bool:
        """Whether this many bytes fit; if so, they are reserved."""
        if size > self._left:
            return False
        self._left -= size
        return True


def make_store(
    split: Split, device: torch.device, prepare: Prepare, *, room: Room, workers: int
) -> Store:
    """Make the fastest store that the device has room for.

    Args:
        split: the split of the images.
        device: where batches are wanted.
        prepare: prepares uint8 images (N, side, side, channels) for batches, such as padding.
        room: bytes that are left on the device for images.
        workers: processes that decode, where images are not kept decoded.
    """
    images = split.images
    if isinstance(images, Undecoded):
        return _Decoded(split, images, device, prepare, workers)
    if room.take(len(split.rows) * prepare(images[:1].to(device)).numel()):
        whole = len(split.rows) == len(images)
        kept = images if whole else images[split.rows]
        with contextlib.suppress(torch.OutOfMemoryError):  # others may use the GPU, too
            return _Resident(prepare(kept.to(device)))
    return _Mapped(images, split.rows, device, prepare)


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
        here = [index.cpu() for index in chosen]  # now; later it would wait for the device
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self._gather, here[0])
            for index in (*here[1:], None):
                ready = coming.result()
                if index is not None:
                    coming = ahead.submit(self._gather, index)
                yield _on_device(ready, self._device, self._prepare)

    def _gather(self, index: Tensor) -> Tensor:
        return _pinned(self._images[self._rows[index]], self._device)


class _Decoded:
    """Image files, decoded by processes that work some batches ahead."""

    def __init__(
        self,
        split: Split,
        undecoded: Undecoded,
        device: torch.device,
        prepare: Prepare,
        workers: int,
    ) -> None:
        self._device, self._prepare = device, prepare
        self._order: list[list[int]] = []  # of the next batches; the loader reads it
        self._loader = DataLoader(
            _Squares(undecoded, split.rows),
            batch_sampler=self._order,
            num_workers=workers,
            multiprocessing_context="forkserver" if workers else None,
            persistent_workers=workers > 0,  # starting them takes seconds
            pin_memory=device.type == "cuda",
        )

    def batches(self, chosen: Sequence[Tensor]) -> Iterator[Gathered]:
        self._order[:] = [index.tolist() for index in chosen]
        try:
            with deaf_to_ctrl_c() if self._loader.num_workers else contextlib.nullcontext():
                coming = iter(self._loader)  # this may start processes
            for images in coming:
                yield _on_device(images, self._device, self._prepare)
        except (RuntimeError, OSError, EOFError) as error:
            if not self._lacks_a_process():
                raise
            self._loader._iterator = None  # so that the next pass starts new processes
            raise OSError(f"a process that decodes images has ended: {error}") from error

    def _lacks_a_process(self) -> bool:
        """Whether a process that decodes has ended."""
        ends = [one.sentinel for one in getattr(self._loader._iterator, "_workers", ())]
        return bool(ends and connection.wait(ends, timeout=_MOMENT))


class _Squares(torch.utils.data.Dataset[Tensor]):
    """Maps a position in a split to its image."""

    def __init__(self, undecoded: Undecoded, rows: Tensor) -> None:
        self._undecoded, self._rows = undecoded, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, position: int) -> Tensor:
        files, side, channels = self._undecoded
        path = files.path(int(self._rows[position]))
        return torch.from_numpy(decode(path, side, channels))


def _pinned(images: Tensor, device: torch.device) -> Tensor:
    return images.pin_memory() if device.type == "cuda" else images


def _on_device(images: Tensor, device: torch.device, prepare: Prepare) -> Gathered:
    prepared = prepare(images.to(device, non_blocking=True))
    return Gathered(prepared, torch.arange(len(prepared), device=device))
