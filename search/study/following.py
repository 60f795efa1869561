"""Follows a journal that another process writes, giving the records added since the last call.

It takes no lock and writes nothing, so that watching never disturbs the writer.
"""

from pathlib import Path

from search.schema.seals import check_line
from search.study.events import Record
from search.study.journal import FILE, SEALED_SINCE, JournalError, damaged, version_of
from search.study.order import Order
from search.study.records import record_of


class Follower:
    """Reads each record of a run's journal once, as soon as its line is complete.

    Args:
        folder: folder of the run; its journal may not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self._path, self._order = folder / FILE, Order()
        self._read, self._lines, self._sealed = 0, 0, False  # bytes and lines so far

    def new(self) -> list[Record]:
        """The records since the last call; an incomplete line is returned by a later call.

        Raises:
            JournalError: a damaged line, one that does not follow from those before it, a newer
                version, or a file that became shorter or is gone.
        """
        size = self._path.stat().st_size if self._path.exists() else 0
        if size < self._read:
            raise JournalError(
                f"{self._path}: has {size:,} bytes, but {self._read:,} of it were read "
                "before; it was replaced or restored: start again to read it as it is now"
            )
        found: list[Record] = []
        if size == self._read:
            return found
        with self._path.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                self._lines += 1
                found += self._records(line[:-1])
        return found

    def _records(self, line: bytes) -> list[Record]:
        """The record of a line, in a list; empty for the first line, which holds none."""
        if self._lines == 1:
            self._sealed = version_of(self._path, line) >= SEALED_SINCE
            return []
        try:
            check_line(line, required=self._sealed)
            record = record_of(line)
            self._order.take(record)
        except ValueError as error:
            raise damaged(self._path, self._lines, error) from error
        return [record]
