"""The journal, runs/<study>/journal.jsonl: append-only, one writer, the only record.

One JSON object a line. Lines reach the disk when a trial ends. A last line that a crash tore
is dropped on reading and cut off before the next write; damage anywhere else is an error.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from search.schema.yaml import ConfigError
from search.study.events import JOURNAL_VERSION, Ended, Epoch, Lost, Retried, Started
from search.study.manifest import FILE as MANIFEST

FILE = "journal.jsonl"
_LOCK = ".lock"
_HEADER = "journal"  # event of the first line, which tells the version
Record = Started | Epoch | Lost | Ended | Retried
_EPOCH = b'{"event":"epoch"'  # how our writer begins such a line
_KINDS: dict[str, type[Record]] = {
    kind.event: kind for kind in (Started, Epoch, Lost, Ended, Retried)
}


class JournalError(ValueError):
    """A journal that cannot be read: damaged, or of a newer version."""


def read(folder: Path, *, epochs: bool = True) -> list[Record]:
    """All records of a run, in the order they were written.

    Args:
        folder: the run's folder; a run without a journal has no records.
        epochs: False leaves these out unread: they are nearly all of a long journal.

    Raises:
        JournalError: a damaged line other than the last, or a newer version, with the line; or
            a run that has begun and has no journal.
    """
    path = folder / FILE
    lines = _whole_lines(path.read_bytes()) if path.exists() else []
    if not lines:
        _check_new(folder)
    return list(_records(path, lines, epochs=epochs))


def epoch_lines(folder: Path) -> bytes:
    """The lines of all epochs of a run as they stand there, for readers in bulk.

    Raises:
        JournalError: a newer version.
    """
    path = folder / FILE
    lines = _whole_lines(path.read_bytes())
    list(_records(path, lines[:1]))  # the version
    return b"\n".join(line for line in lines if line.startswith(_EPOCH))


def _whole_lines(content: bytes) -> list[bytes]:
    """Lines that end; what follows the last line break was torn by a crash."""
    return content.split(b"\n")[:-1]


def _records(path: Path, lines: Iterable[bytes], *, epochs: bool = True) -> Iterator[Record]:
    for number, line in enumerate(lines, 1):
        if not epochs and line.startswith(_EPOCH):
            continue
        try:
            data = json.loads(line)
            version = int(data["version"]) if data["event"] == _HEADER else None
            record = _KINDS[data["event"]].from_json(data) if version is None else None
        except (KeyError, TypeError, ValueError) as error:  # of JSON and UTF-8 too
            raise JournalError(
                f"{path}:{number}: is damaged ({error!r}); restore the file from a copy, or "
                "delete this line and those of the same trial to run that trial again"
            ) from error
        if version is not None:
            _check_version(path, version)
        elif record is not None:
            yield record


def _check_new(folder: Path) -> None:
    """Refuse a folder whose journal is lost: to go on would run its trials again."""
    if (folder / MANIFEST).exists():
        path = folder / FILE
        state = "is empty" if path.exists() else "is not there"
        raise JournalError(
            f"{path}: {state}, although {MANIFEST} says that a study began here; restore it "
            "from a copy, or remove the folder to begin anew"
        )


def _check_version(path: Path, version: int) -> None:
    if version > JOURNAL_VERSION:
        raise JournalError(
            f"{path}:1: has version {version}, this program reads up to {JOURNAL_VERSION}; "
            "update the program"
        )


class Journal:
    """The one writer of a run's journal; holds the run's lock while it is open.

    Args:
        folder: the run's folder, made if it is not there.

    Raises:
        ConfigError: the folder cannot be made or written, or another live process holds its
            lock (says which).
        JournalError: what is there cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(folder)
        except OSError as error:
            raise ConfigError(
                f"{folder}: cannot be the folder of a run ({error.strerror}); give another "
                "with --out"
            ) from error
        try:
            self.records = read(folder)
            self._file = self.path.open("r+b" if self.path.exists() else "x+b")
        except (JournalError, OSError):
            self._lock.close()
            raise
        self._end = sum(len(line) + 1 for line in _whole_lines(self._file.read()))
        self._file.truncate(self._end)
        self._file.seek(self._end)
        if self._end == 0:
            self._write({"event": _HEADER, "version": JOURNAL_VERSION})
            os.fsync(self._file.fileno())

    def append(self, record: Record) -> None:
        """Write one record; the end of a trial is on the disk when this returns.

        Raises:
            OSError: the disk is full or gone; the journal is as it was before the call.
        """
        self._write(record.to_json())
        if isinstance(record, Ended):
            os.fsync(self._file.fileno())
        self.records.append(record)

    def _write(self, data: dict[str, Any]) -> None:
        line = json.dumps(data, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        try:
            self._file.write(line)
            self._file.flush()
        except OSError:
            self._drop_torn_line()
            raise
        self._end += len(line)

    def _drop_torn_line(self) -> None:
        # The buffer still holds the line: a new handle, so that closing cannot write it.
        os.truncate(self.path, self._end)
        broken, self._file = self._file, self.path.open("r+b")
        self._file.seek(self._end)
        broken.raw.close()

    def close(self) -> None:
        """Put everything on the disk and free the lock."""
        self._file.close()
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _lock(folder: Path) -> IO[str]:
    """The kernel frees it when the process ends, however it ends."""
    file = (folder / _LOCK).open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise ConfigError(
            f"{folder}: is in use by process {holder}, which is running; wait for it, stop "
            "it, or give another folder with --out"
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
