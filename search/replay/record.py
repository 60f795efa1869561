"""The journal of a resumed replay: recomputed from its start, and compared on the way."""

from collections.abc import Callable, Iterator
from pathlib import Path

from search.study.events import Ended, Known, Record
from search.study.journal import Journal, JournalError


class RetracedJournal(Journal):
    """A journal whose study starts again: its records must recur, and are not written twice.

    A replay has no state that could be lost: simulated time, sampler and scheduler are in the
    same state again once the recorded events have recurred. So a replay that was killed ends
    with the same bytes as one that was not.

    Args:
        folder: the run's folder, created if it does not exist.
        say: called with messages about waiting for the lock or taking it over.
        before_new: called before the first record that is new.

    Attributes:
        ended: trials that had ended in it when it was opened.
        known: trials of other runs that its study began with; None where it may lack some, as
            no trial of its own has begun.

    Raises:
        ConfigError, JournalError: as for `Journal`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        say: Callable[[str], object] | None = None,
        before_new: Callable[[], object],
    ) -> None:
        super().__init__(folder, say=say)
        self._before_new, self._met = before_new, 0
        try:
            there = list(super().records())
        except BaseException:
            self.close()
            raise
        self._there: Iterator[Record] | None = iter(there)
        self.ended = frozenset(one.trial for one in there if isinstance(one, Ended))
        known = tuple(one for one in there if isinstance(one, Known))
        self.known = known if len(known) < len(there) else None

    @property
    def retracing(self) -> bool:
        """Whether the study has not yet come to the end of the recorded events."""
        return self._there is not None

    def records(self) -> Iterator[Record]:
        """None, as the study recomputes all of them."""
        return iter(())

    def append(self, record: Record) -> None:
        """Compare with the record at this place, or write it after the last one.

        Raises:
            JournalError: another record is at this place.
            OSError: as for `Journal.append`.
        """
        if self._there is not None:
            there = next(self._there, None)
            if there is not None:
                self._meet(there, record)
                return
            self._there = None
            self._before_new()
        super().append(record)

    def _meet(self, there: Record, record: Record) -> None:
        self._met += 1
        if there != record:
            raise JournalError(
                f"{self.path}:{self._met + 1}: says {there.event!r} of trial {there.trial}, "
                f"where this replay has {record.event!r} of trial {record.trial}: an extended "
                "study, or another version of a library, takes another course; replay it into "
                "another folder with --out"
            )
