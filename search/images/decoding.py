"""Decodes image files into square arrays, as viewers show them; one, or many in processes.

No torch here.
"""

import multiprocessing
import os
import threading
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from res2net.child_processes import deaf_to_ctrl_c
from res2net.file_names import fs_name
from search.images.looks import as_it_looks, formats

_MOST_PIXELS = 2 * 89_478_485  # of a resized image: the most that Pillow opens
_CHUNK_IMAGES, _CHUNK_BYTES = 64, 1 << 23  # largest chunk that a process returns at once
_AHEAD = 2  # chunks in advance for each process


class DamagedError(ValueError):
    """An image file that cannot be read completely; `reason` says why, without the path."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)  # both, so that it can be pickled by another process
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class Chunk(NamedTuple):
    """Some images (N, side, side, channels), if asked for; damaged ones are zeros.

    `sums` (N, 2 channels) of each image's pixels in 0 to 255: of each channel, and of their
    squares; `damaged` holds position in the chunk and reason.
    """

    pixels: npt.NDArray[np.uint8] | None
    sums: npt.NDArray[np.float64]
    damaged: tuple[tuple[int, str], ...]


def decode(path: Path, side: int, channels: int = 3) -> npt.NDArray[np.uint8]:
    """Read an image, resize its short side to `side` pixels and crop the middle.

    `search.images.looks` defines what the image looks like. A file is recognised by its
    content, because photographs called .jpg are often something else. For photographs of 8 bits
    the result has the same bytes as torchvision's Resize(side) and CenterCrop(side) on what its
    ImageFolder reads: bilinear with antialias. Not for several threads at once: Python's
    warning filters, which silence Pillow here, belong to the process.

    Args:
        path: path of the file.
        side: side of the square, in pixels.
        channels: 3 for colour, 1 for grey.

    Returns:
        (side, side, channels), writable.

    Raises:
        DamagedError: empty, not an image, truncated, too large to be decoded, or with numbers
            that cannot be shown.
        OSError: the file is gone, may not be read, or its disk fails; this says nothing
            about the image.
    """
    with warnings.catch_warnings(), path.open("rb") as file:
        warnings.simplefilter("ignore")
        if not os.fstat(file.fileno()).st_size:
            raise DamagedError(path, "is empty")
        try:
            with Image.open(file, formats=formats()) as image:
                square = _square(as_it_looks(image), side)
                return (
                    np.array(square.convert("L"))[..., None]
                    if channels == 1
                    else np.array(square)
                )
        except UnidentifiedImageError as error:
            raise DamagedError(path, "is not an image") from error
        except MemoryError:
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # an error of the system; Pillow's own have no errno
            # Pillow has no single error for broken content: its plugins raise a dozen kinds.
            raise DamagedError(path, _one_line(error)) from error


def _square(image: Image.Image, side: int) -> Image.Image:
    short, long = sorted(image.size)
    resized = int(side * long / short)
    if side * resized > _MOST_PIXELS:
        raise ValueError(f"is {image.width} x {image.height} pixels, too narrow for {side}")
    width, height = (side, resized) if image.width <= image.height else (resized, side)
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = round((width - side) / 2), round((height - side) / 2)
    return image.crop((left, top, left + side, top + side))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def decode_all(
    folder: Path,
    names: Sequence[str],
    side: int,
    *,
    keep_pixels: bool,
    workers: int,
    channels: int = 3,
) -> Iterator[Chunk]:
    """Decode files below a folder, in their order, keeping only a few chunks in memory.

    Closing the iterator ends its processes.

    Args:
        folder: the folder that holds `names`.
        names: paths below it, as text of `res2net.file_names`.
        side: side of the images, in pixels.
        keep_pixels: whether chunks hold the images, or only their sums.
        workers: processes; with 1 it is this one.
        channels: channels of the images, 3 or 1.

    Raises:
        OSError: a file is gone or may not be read.
        BrokenProcessPool: a process was killed.
    """
    count = max(1, min(_CHUNK_IMAGES, _CHUNK_BYTES // (side * side * 3)))
    starts = range(0, len(names), count)
    if workers == 1:
        for start in starts:
            yield _chunk(folder, names[start : start + count], side, channels, keep_pixels)
        return
    # Spawned, not forked: a forked copy of a process with threads may hang.
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), initializer=_begin_process
    )
    try:
        coming: deque[Future[Chunk]] = deque()
        for start in starts:
            part = names[start : start + count]
            with deaf_to_ctrl_c():  # this may start a process
                coming.append(pool.submit(_chunk, folder, part, side, channels, keep_pixels))
            if len(coming) == _AHEAD * workers:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_process() -> None:
    """Prepare a decoding process to end when its parent does."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "runs only in a process of a pool"

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _chunk(
    folder: Path, names: Sequence[str], side: int, channels: int, keep_pixels: bool
) -> Chunk:
    shape = (len(names), side, side, channels)
    pixels = np.zeros(shape, np.uint8) if keep_pixels else None
    sums = np.zeros((len(names), 2 * channels))
    damaged = []
    for position, name in enumerate(names):
        try:
            image = decode(folder / fs_name(name), side, channels)
        except DamagedError as error:
            damaged.append((position, error.reason))
            continue
        sums[position] = _sums(image)
        if pixels is not None:
            pixels[position] = image
    return Chunk(pixels, sums, tuple(damaged))


def _sums(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Sums by way of histograms: exact, and several times faster than arithmetic on pixels."""
    levels = np.arange(256)
    counts = [np.bincount(image[..., c].ravel(), minlength=256) for c in range(image.shape[-1])]
    return np.concatenate([counts @ levels, counts @ levels**2])
