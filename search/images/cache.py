"""Caches decoded images in a file that is memory-mapped afterwards. No torch here.

One folder per cache, named by a hash of everything it depends on. Its record gives the number
of finished images. The record is replaced as a whole, and only once those images are on the
disk, so that the next build continues from there, however the last one ended.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import numpy.typing as npt

from res2net.file_names import bytes_of
from search.images.decoding import Chunk, decode_all
from search.images.tree import Files
from search.schema.data import DECODING
from search.schema.files import replace_text
from search.schema.units import format_amount
from search.schema.yaml import ConfigError

_VERSION = (2, DECODING)  # of the meaning of the files, and of the decoding
_PROBES, _PROBED = 64, 1 << 16  # files whose first bytes tell a set from one of equal names
_PIXELS, _SUMS, _RECORD, _LOCK = "pixels.u8", "sums.f64", "record.json", ".lock"
_SAVE_EVERY = 16  # chunks: a crash costs 1,024 images or 128 MiB at most
_POLL = 0.2  # seconds between checks of a cache that another process builds
_SHOWN = 5  # names in a message

Place = Callable[[str], str]
Advance = Callable[[int, int], None]


class CachedImages(NamedTuple):
    """Decoded images of N files, in their order; unreadable ones are zeros.

    `pixels` (N, side, side, channels), mapped and read-only, or None where they are not kept;
    `sums` (N, 2 channels) of each image's pixels, 0 to 255: of each channel and their squares;
    `readable` are the positions of sound images, ascending; `damaged` are the others, each
    "<name>: reason".
    """

    pixels: npt.NDArray[np.uint8] | None
    sums: npt.NDArray[np.float64]
    readable: npt.NDArray[np.intp]
    damaged: tuple[str, ...]


class CacheRequest(NamedTuple):
    """Which images, `side` pixels wide and high, of 3 `channels` or 1, kept below `folder`.

    Without `keep_pixels` only sums and damaged images are determined and kept. At most
    `allowed_damaged` images may be unreadable.
    """

    files: Files
    side: int
    folder: Path
    keep_pixels: bool
    allowed_damaged: int
    channels: int = 3


class _Record(NamedTuple):
    """The number of finished images, from the first on, and which of them are damaged."""

    done: int = 0
    damaged: tuple[tuple[int, str], ...] = ()


def size(request: CacheRequest) -> int:
    """Bytes that a cache takes on the disk."""
    return len(request.files.names) * sum(_names(request).values())


def build(request: CacheRequest, *, workers: int, place: Place, advance: Advance) -> None:
    """Decode what is not decoded yet, or wait for another process that is doing so.

    Args:
        request: the images.
        workers: processes that decode; with 1 it is this process.
        place: gives the place of a setting of the data set, for messages.
        advance: called now and then with the number of finished images, and of all.

    Raises:
        ConfigError: no room, a folder that cannot be written, files that are gone, or more
            damaged images than allowed. Images decoded so far stay for the next try.
    """
    folder = _folder_of(request, place)
    record = _read_record(folder, request)
    _check_damaged(record, request, place)
    if record.done == len(request.files.names):
        return
    try:
        check_room([request], place)
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder, request, advance):
            record = _fill(folder, request, workers, place, advance)
    except OSError as error:
        raise ConfigError(
            f"{place('cache')}: {folder} cannot be written ({error.strerror}); set data.cache "
            "to a folder that can, or make this one writable: images decoded there are used "
            "again"
        ) from error
    _check_damaged(record, request, place)


def check_room(requests: Sequence[CacheRequest], place: Place) -> None:
    """Raise ConfigError if the disk has no room for what all these caches still lack."""
    missing = sum(_missing(request, place) for request in requests)
    here = requests[0].folder.absolute()
    free = shutil.disk_usage(next(p for p in (here, *here.parents) if p.exists())).free
    if missing > free:
        folders = " and ".join(str(request.files.folder) for request in requests)
        raise ConfigError(
            f"{place('cache')}: {here} has {format_amount(free)}B free, the decoded images of "
            f"{folders} take {format_amount(missing)}B; set data.cache to a folder on a larger "
            "disk, lower data.resize, take fewer images, or decode them each time (storage: "
            "decoded)"
        )


def _missing(request: CacheRequest, place: Place) -> int:
    folder = _folder_of(request, place)
    files = [folder / name for name in _names(request)]
    return size(request) - sum(path.stat().st_size for path in files if path.exists())


def open_cache(request: CacheRequest) -> CachedImages:
    """Map a cache that `build` has finished.

    Raises:
        ConfigError: there is none: it was not built, or the image files changed since.
    """
    folder = _folder_of(request, lambda key: f"data.{key}")
    record, count = _read_record(folder, request), len(request.files.names)
    if record.done < count:
        raise ConfigError(
            f"{folder}: is not a finished cache of {request.files.folder}, whose files may "
            "have changed since it was made; start the study again"
        )
    whole = np.ones(count, dtype=np.bool_)
    whole[[index for index, _ in record.damaged]] = False
    pixels = None
    if request.keep_pixels:
        shape = (count, request.side, request.side, request.channels)
        pixels = np.memmap(folder / _PIXELS, np.uint8, "r", shape=shape)
    sums = np.memmap(folder / _SUMS, np.float64, "r", shape=(count, 2 * request.channels))
    return CachedImages(pixels, sums, np.flatnonzero(whole), _named(record, request))


def _names(request: CacheRequest) -> Mapping[str, int]:
    """The files of a cache, with the bytes that each has per image."""
    pixels = {_PIXELS: request.side**2 * request.channels} if request.keep_pixels else {}
    return {_SUMS: 2 * request.channels * 8, **pixels}


def _folder_of(request: CacheRequest, place: Place) -> Path:
    folder, names = request.files.folder, request.files.names
    what = (_VERSION, request.side, request.channels, request.keep_pixels, folder.name)
    digest = hashlib.sha256(repr(what).encode())
    prefix = os.fsencode(folder / "_")[:-1]
    try:
        for name in map(bytes_of, names):
            facts = os.stat(prefix + name)  # noqa: PTH116 - Paths would take seconds
            digest.update(b"%b\0%d\0%d\0" % (name, facts.st_size, facts.st_mtime_ns))
        for probe in map(bytes_of, names[:: max(1, len(names) // _PROBES)]):
            with open(prefix + probe, "rb") as file:  # noqa: PTH123 - as above
                digest.update(file.read(_PROBED))
    except OSError as error:
        raise _unreachable(error, place) from error
    return request.folder / digest.hexdigest()[:32]


def _unreachable(error: OSError, place: Place) -> ConfigError:
    return ConfigError(
        f"{place('root')}: {os.fsdecode(error.filename)} cannot be read ({error.strerror}); "
        "make it readable or remove it, and start again"
    )


def _read_record(folder: Path, request: CacheRequest) -> _Record:
    """The record; an empty one without a cache, or if files are shorter than it says."""
    try:
        data = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        record = _Record(data["done"], tuple((i, reason) for i, reason in data["damaged"]))
        sizes = {part: (folder / part).stat().st_size for part in _names(request)}
    except (OSError, ValueError, KeyError, TypeError):
        return _Record()
    whole = all(sizes[part] >= record.done * each for part, each in _names(request).items())
    return record if whole else _Record()


@contextlib.contextmanager
def _locked(folder: Path, request: CacheRequest, advance: Advance) -> Iterator[None]:
    """Hold the lock of a cache, which the kernel frees however the process ends."""
    with (folder / _LOCK).open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                advance(_read_record(folder, request).done, len(request.files.names))
                time.sleep(_POLL)
        yield


def _fill(
    folder: Path, request: CacheRequest, workers: int, place: Place, advance: Advance
) -> _Record:
    total = len(request.files.names)
    with contextlib.ExitStack() as stack:
        for part in _names(request):
            (folder / part).touch()
        files = {
            part: stack.enter_context((folder / part).open("r+b", buffering=0))
            for part in _names(request)
        }
        # Read again: another process may have built while we waited for the lock.
        record = _read_record(folder, request)
        advance(record.done, total)
        chunks = _chunks(request, record.done, workers, place)
        stack.enter_context(contextlib.closing(chunks))
        try:
            for number, chunk in enumerate(chunks, 1):
                record = _append(record, chunk, files, request)
                advance(record.done, total)
                if len(record.damaged) > request.allowed_damaged:
                    break
                if number % _SAVE_EVERY == 0:
                    _save(record, files, folder)
        except OSError:
            raise  # the disk's content is uncertain: the last record remains valid
        except BaseException:
            _save(record, files, folder)
            raise
        _save(record, files, folder)
    return record


def _chunks(
    request: CacheRequest, start: int, workers: int, place: Place
) -> Generator[Chunk, None, None]:
    (folder, names, *_), side, _, keep, _, channels = request
    decoded = decode_all(
        folder, names[start:], side, keep_pixels=keep, workers=workers, channels=channels
    )
    try:
        yield from decoded
    except OSError as error:
        raise _unreachable(error, place) from error
    except BrokenProcessPool as error:
        raise ConfigError(
            f"{place('root')}: a process that decodes images of {folder} was killed, maybe "
            "because memory ran out; free some, and start again: it continues from here"
        ) from error


def _append(
    record: _Record, chunk: Chunk, files: Mapping[str, IO[bytes]], request: CacheRequest
) -> _Record:
    for part, array in ((_SUMS, chunk.sums), (_PIXELS, chunk.pixels)):
        if array is not None:
            offset = record.done * _names(request)[part]
            rest = array.data.cast("B")
            while rest:
                written = os.pwrite(files[part].fileno(), rest, offset)
                rest, offset = rest[written:], offset + written
    damaged = tuple((record.done + index, reason) for index, reason in chunk.damaged)
    return _Record(record.done + len(chunk.sums), record.damaged + damaged)


def _save(record: _Record, files: Mapping[str, IO[bytes]], folder: Path) -> None:
    for file in files.values():
        os.fsync(file.fileno())
    replace_text(folder / _RECORD, json.dumps(record._asdict()))


def _check_damaged(record: _Record, request: CacheRequest, place: Place) -> None:
    if len(record.damaged) > request.allowed_damaged:
        first = "; ".join(_named(record, request)[:_SHOWN])
        more = len(record.damaged) - _SHOWN
        raise ConfigError(
            f"{place('damaged')}: {request.allowed_damaged:,} damaged images are allowed, but "
            f"{len(record.damaged):,} of the first {record.done:,} in {request.files.folder} "
            f"are damaged: {first}{f'; and {more:,} more' if more > 0 else ''}; repair or "
            "remove them, or raise data.damaged"
        )


def _named(record: _Record, request: CacheRequest) -> tuple[str, ...]:
    return tuple(f"{request.files.names[i]}: {reason}" for i, reason in record.damaged)
