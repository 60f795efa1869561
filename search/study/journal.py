"""The journal, runs/<study>/journal.jsonl: append-only, one writer, the only record.

One JSON object per line, each with its own checksum (since version 3). Lines reach the kernel
at once, and the disk within a second of the end of a trial. A last line that a crash left
incomplete is ignored when reading and cut off before the next write; damage anywhere else, or a
record that does not follow from those before it, is an error.
"""

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from search.schema.seals import SealError, check_line, decoded, is_torn, sealed_line
from search.study.events import JOURNAL_VERSION, Ended, Epoch, Record
from search.study.lock import LockLostError, locked
from search.study.manifest import FILE as MANIFEST
from search.study.order import Order, OrderError
from search.study.records import record_of
from search.study.syncing import Syncs

FILE = "journal.jsonl"
_HEADER = "journal"  # event of the first line, which gives the version
SEALED_SINCE = 3  # the version
_EPOCH = b'{"event":"epoch"'  # start of such a line as this program writes it
_EPOCH_OF = re.compile(_EPOCH.replace(b"{", b"\\{") + rb',"trial":(\d+),"epoch":(\d+),')


class JournalError(ValueError):
    """A journal that cannot be read: damaged, or of a newer version."""


def read(folder: Path, *, epochs: bool = True) -> list[Record]:
    """All records of a run, in the order they were written.

    Args:
        folder: the run's folder; a run without a journal has no records.
        epochs: False leaves out epochs, which make up nearly all of a long journal. Their
            checksums and their order are checked, their values are not read.

    Raises:
        JournalError: a damaged line other than the last, one that does not follow from those
            before it, or a newer version, with the line; or a run that has begun and has no
            journal.
    """
    return list(_records(folder, epochs=epochs))


def epoch_lines(folder: Path) -> bytes:
    """The raw lines of all epochs of a run, for readers in bulk.

    Their checksums are checked but not their order; `read` checks that.

    Raises:
        JournalError: a damaged line, or a newer version.
    """
    path = folder / FILE
    found = []
    sealed = False
    for number, line in _whole_lines(path):
        sealed = sealed or (number == 1 and version_of(path, line) >= SEALED_SINCE)
        try:
            check_line(line, required=sealed)
        except SealError as error:
            raise damaged(path, number, error) from error
        if line.startswith(_EPOCH):
            found.append(line)
    return b"\n".join(found)


def _whole_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The complete lines, with their numbers; a crash may leave a torn one at the end."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.endswith(b"\n"):
                yield number, line[:-1]
                continue
            if not is_torn(line):
                raise damaged(path, number, "something follows its end")
            return  # a live writer may have completed the line meanwhile


def _records(folder: Path, *, epochs: bool) -> Iterator[Record]:
    """The records one by one, so that the caller decides which are kept in memory."""
    path, order = folder / FILE, Order()
    lines = _whole_lines(path)
    first = next(lines, None)
    if first is None:
        _check_new(folder)
        return
    sealed = version_of(path, first[1]) >= SEALED_SINCE
    for number, line in lines:
        try:
            check_line(line, required=sealed)
            if not epochs and (known := _EPOCH_OF.match(line)):
                order.take_epoch(int(known[1]), int(known[2]))
                continue
            record = record_of(line)
            order.take(record)
        except OrderError as error:
            raise JournalError(
                f"{path}:{number}: {error}; restore the file from a copy, or delete every line "
                f"of trial {error.trial} to run that trial again"
            ) from error
        except ValueError as error:
            raise damaged(path, number, error) from error
        if epochs or not isinstance(record, Epoch):
            yield record


def version_of(path: Path, line: bytes) -> int:
    """The version that the first line of a journal gives.

    Raises:
        JournalError: it gives none, or one that this program does not read.
    """
    try:
        check_line(line, required=False)
        data = decoded(line)
        version = data["version"] if data["event"] == _HEADER else None
        if type(version) is not int or version < 1:
            raise ValueError("it gives no version")
        if version <= JOURNAL_VERSION:
            check_line(line, required=version >= SEALED_SINCE)
    except (KeyError, TypeError, ValueError) as error:
        raise JournalError(
            f"{path}:1: is damaged ({_words(error)}); restore the file from a copy"
        ) from error
    if version > JOURNAL_VERSION:
        raise JournalError(
            f"{path}:1: has version {version}, but this program reads up to "
            f"{JOURNAL_VERSION}; update the program"
        )
    return version


def _check_ours(path: Path, line: bytes) -> None:
    """Refuse to write into a journal of an earlier version."""
    version = version_of(path, line)
    if version != JOURNAL_VERSION:
        raise JournalError(
            f"{path}: was begun by another version of this project (its record is of version "
            f"{version}, this is {JOURNAL_VERSION}); the analysis reads it, but only that "
            "version can resume it; give another folder with --out"
        )


def damaged(path: Path, number: int, why: object) -> JournalError:
    """The error for a damaged line: its number from 1, and why it is damaged."""
    return JournalError(
        f"{path}:{number}: is damaged ({why}); restore the file from a copy, or delete this "
        "line and those of the same trial to run that trial again"
    )


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError) else "it is not a header"


def _check_new(folder: Path) -> None:
    """Refuse a folder whose journal is lost: resuming would run its trials again."""
    if (folder / MANIFEST).exists():
        path = folder / FILE
        state = "is empty" if path.exists() else "is missing"
        raise JournalError(
            f"{path}: {state}, although {MANIFEST} says that a study began here; restore it "
            "from a copy, or remove the folder to start over"
        )


class Journal:
    """The only writer of a run's journal; holds the run's lock while it is open.

    Args:
        folder: the run's folder, created if it does not exist.
        say: called with messages about waiting for the lock or taking it over.

    Raises:
        ConfigError: the folder cannot be made or written, or another live process holds its
            lock (the message names it).
        OSError: its disk is full or fails.
        JournalError: the journal there cannot be read, or an earlier version began it.
    """

    def __init__(self, folder: Path, *, say: Callable[[str], object] | None = None) -> None:
        self.path = folder / FILE
        self._lock = locked(folder, say=say)
        try:
            self._open()
        except BaseException:
            self._lock.close()
            raise

    def _open(self) -> None:
        """Open the file after its last complete line."""
        self._end, first = 0, b""
        for number, line in _whole_lines(self.path):
            first = line if number == 1 else first
            self._end += len(line) + 1
        if self._end:
            _check_ours(self.path, first)
        else:
            _check_new(self.path.parent)
        self._file = self.path.open("r+b" if self.path.exists() else "x+b")
        self._lock.check()  # of a host that took the run over meanwhile, nothing is cut off
        self._file.truncate(self._end)
        self._file.seek(self._end)
        self._syncs = Syncs(self._file.fileno())
        if self._end == 0:
            self._write({"event": _HEADER, "version": JOURNAL_VERSION})
            self._syncs.ask()

    def records(self) -> Iterator[Record]:
        """The records of the journal, read from its file; they are not kept in memory.

        Raises:
            JournalError: a damaged line, or one that does not follow from those before it.
        """
        return _records(self.path.parent, epochs=True)

    def append(self, record: Record) -> None:
        """Write one record; the kernel has it when this returns.

        The end of a trial is on the disk within `search.study.syncing.WITHIN` seconds, or at
        once if the last sync was longer ago than that.

        Raises:
            OSError: the disk is full or gone, or another host has taken the run over; the
                journal is as it was before the call. Or lines written before could not be put
                on the disk.
        """
        self._syncs.check()
        self._write(record.to_json())
        if isinstance(record, Ended):
            self._syncs.ask()

    def of_another_space(self, name: str) -> JournalError:
        """The error for a record whose network is not in the study's space."""
        return JournalError(
            f"{self.path}: contains {name}, which this space does not; restore the file from "
            "a copy, or delete every line of the trials of that network"
        )

    def require_held(self) -> None:
        """Raise OSError where another host has taken the run over, or its folder is gone."""
        self._lock.check()

    def _write(self, data: dict[str, Any]) -> None:
        line = sealed_line(data) + b"\n"
        self._lock.check()  # so that two processes never both write
        try:
            self._file.write(line)
            self._file.flush()
        except OSError:
            self._drop_torn_line()
            raise
        self._end += len(line)

    def _drop_torn_line(self) -> None:
        # The buffer still holds the line: a new handle ensures that closing does not write it.
        with contextlib.suppress(LockLostError):
            self._lock.check()
            os.truncate(self.path, self._end)
        broken, self._file = self._file, self.path.open("r+b")
        self._file.seek(self._end)
        broken.raw.close()

    def close(self) -> None:
        """Put everything on the disk and release the lock.

        Raises:
            OSError: what was written before could not be put on the disk.
        """
        try:
            self._file.close()
            self._syncs.close()
        finally:
            self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except OSError:
            if error is None:  # else the first error is more informative
                raise
