"""The journal, runs/<study>/journal.jsonl: append-only, one writer, the only record.

One JSON object a line, each with a checksum of its own (since version 3). Lines reach the disk
when a trial ends. A last line that a crash tore is dropped on reading and cut off before the
next write; damage anywhere else, or a record that does not follow from those before it, is an
error.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, get_args

from search.schema.seals import SEAL, SealError, check_line, decoded, is_torn, sealed_line
from search.schema.yaml import ConfigError
from search.study.events import JOURNAL_VERSION, Ended, Epoch, Lost, Retried, Started
from search.study.lock import Lock
from search.study.manifest import FILE as MANIFEST
from search.study.order import Order, OrderError
from search.study.records import reader_of

FILE = "journal.jsonl"
_HEADER = "journal"  # event of the first line, which tells the version
_SEALED_SINCE = 3  # the version
Record = Started | Epoch | Lost | Ended | Retried
_EPOCH = b'{"event":"epoch"'  # how our writer begins such a line
_EPOCH_OF = re.compile(_EPOCH.replace(b"{", b"\\{") + rb',"trial":(\d+),"epoch":(\d+),')
_READERS: dict[str, Callable[[dict[str, Any]], Record]] = {
    kind.event: reader_of(kind) for kind in get_args(Record)
}
_SCORED = frozenset(kind.event for kind in get_args(Record) if "metrics" in kind.__slots__)


class JournalError(ValueError):
    """A journal that cannot be read: damaged, or of a newer version."""


def read(folder: Path, *, epochs: bool = True) -> list[Record]:
    """All records of a run, in the order they were written.

    Args:
        folder: the run's folder; a run without a journal has no records.
        epochs: False leaves these out: they are nearly all of a long journal. Their checksums
            and their order are looked at, their values are not read.

    Raises:
        JournalError: a damaged line other than the last, one that does not follow from those
            before it, or a newer version, with the line; or a run that has begun and has no
            journal.
    """
    path = folder / FILE
    lines = _whole_lines(path)
    if not lines:
        _check_new(folder)
        return []
    return list(_records(path, lines, epochs=epochs))


def epoch_lines(folder: Path) -> bytes:
    """The lines of all epochs of a run as they stand there, for readers in bulk.

    Their checksums are looked at, their order is not: `read` does that.

    Raises:
        JournalError: a damaged line, or a newer version.
    """
    path = folder / FILE
    lines = _whole_lines(path)
    sealed = _version(path, lines[0]) >= _SEALED_SINCE if lines else False
    found = []
    for number, line in enumerate(lines, 1):
        try:
            check_line(line, required=sealed)
        except SealError as error:
            raise _damaged(path, number, error) from error
        if line.startswith(_EPOCH):
            found.append(line)
    return b"\n".join(found)


def _whole_lines(path: Path) -> list[bytes]:
    """Lines that end; what follows the last line break was torn by a crash."""
    *lines, rest = path.read_bytes().split(b"\n") if path.exists() else [b""]
    if not is_torn(rest):
        raise _damaged(path, len(lines) + 1, "something follows its end")
    return lines


def _records(path: Path, lines: Sequence[bytes], *, epochs: bool) -> Iterator[Record]:
    sealed, order = _version(path, lines[0]) >= _SEALED_SINCE, Order()
    for number, line in enumerate(lines[1:], 2):
        try:
            check_line(line, required=sealed)
            if not epochs and (known := _EPOCH_OF.match(line)):
                order.take_epoch(int(known[1]), int(known[2]))
                continue
            record = _record(line)
            order.take(record)
        except OrderError as error:
            raise JournalError(
                f"{path}:{number}: {error}; restore the file from a copy, or delete every line "
                f"of trial {error.trial} to run that trial again"
            ) from error
        except ValueError as error:
            raise _damaged(path, number, error) from error
        if epochs or not isinstance(record, Epoch):
            yield record


def _record(line: bytes) -> Record:
    """The record of a line; ValueError, in words, where it holds none."""
    data = decoded(line)
    event = data.pop("event", None) if isinstance(data, dict) else None
    reader = _READERS.get(event) if isinstance(event, str) else None
    if reader is None:
        raise ValueError(f"its event is {event!r}")
    if data.pop(SEAL, None) and event in _SCORED and "metrics" not in data:
        raise ValueError("it has no metrics")  # in version 1 each was a key of its own
    return reader(data)


def _version(path: Path, line: bytes) -> int:
    """The version that the first line tells, which this program reads."""
    try:
        check_line(line, required=False)
        data = decoded(line)
        version = data["version"] if data["event"] == _HEADER else None
        if type(version) is not int or version < 1:
            raise ValueError("it tells no version")
        if version <= JOURNAL_VERSION:
            check_line(line, required=version >= _SEALED_SINCE)
    except (KeyError, TypeError, ValueError) as error:
        raise JournalError(
            f"{path}:1: is damaged ({_words(error)}); restore the file from a copy"
        ) from error
    if version > JOURNAL_VERSION:
        raise JournalError(
            f"{path}:1: has version {version}, this program reads up to {JOURNAL_VERSION}; "
            "update the program"
        )
    return version


def _check_ours(path: Path, line: bytes) -> None:
    """Refuse to write into the journal of an earlier version."""
    version = _version(path, line)
    if version != JOURNAL_VERSION:
        raise JournalError(
            f"{path}: was begun by another version of this project (its record is of version "
            f"{version}, this is {JOURNAL_VERSION}); the analysis reads it, but to go on with "
            "it takes that version; give another folder with --out"
        )


def _damaged(path: Path, number: int, why: object) -> JournalError:
    return JournalError(
        f"{path}:{number}: is damaged ({why}); restore the file from a copy, or delete this "
        "line and those of the same trial to run that trial again"
    )


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError) else "it is no header"


def _check_new(folder: Path) -> None:
    """Refuse a folder whose journal is lost: to go on would run its trials again."""
    if (folder / MANIFEST).exists():
        path = folder / FILE
        state = "is empty" if path.exists() else "is not there"
        raise JournalError(
            f"{path}: {state}, although {MANIFEST} says that a study began here; restore it "
            "from a copy, or remove the folder to begin anew"
        )


class Journal:
    """The one writer of a run's journal; holds the run's lock while it is open.

    Args:
        folder: the run's folder, made if it is not there.
        say: is told what a start waits for or takes over.

    Raises:
        ConfigError: the folder cannot be made or written, or another live process holds its
            lock (says which).
        JournalError: what is there cannot be read, or an earlier version began it.
    """

    def __init__(self, folder: Path, *, say: Callable[[str], object] | None = None) -> None:
        self.path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = Lock(folder, say=say)
        except OSError as error:
            raise ConfigError(
                f"{folder}: cannot be the folder of a run ({error.strerror}); give another "
                "with --out"
            ) from error
        try:
            self.records = read(folder)
            self._open()
        except BaseException:
            self._lock.close()
            raise

    def _open(self) -> None:
        """Open the file behind its last whole line."""
        self._file = self.path.open("r+b" if self.path.exists() else "x+b")
        content = self._file.read()
        self._end = content.rfind(b"\n") + 1
        if self._end:
            _check_ours(self.path, content.partition(b"\n")[0])
        self._file.truncate(self._end)
        self._file.seek(self._end)
        if self._end == 0:
            self._write({"event": _HEADER, "version": JOURNAL_VERSION})
            os.fsync(self._file.fileno())

    def append(self, record: Record) -> None:
        """Write one record; the end of a trial is on the disk when this returns.

        Raises:
            OSError: the disk is full or gone, or another host has taken the run over; the
                journal is as it was before the call.
        """
        self._write(record.to_json())
        if isinstance(record, Ended):
            os.fsync(self._file.fileno())
        self.records.append(record)

    def of_another_space(self, name: str) -> JournalError:
        """The error of a record whose network is none of the study's space."""
        return JournalError(
            f"{self.path}: holds {name}, which this space does not; restore the file from a "
            "copy, or delete every line of the trials of that network"
        )

    def _write(self, data: dict[str, Any]) -> None:
        line = sealed_line(data) + b"\n"
        self._lock.check()  # two never both write
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
