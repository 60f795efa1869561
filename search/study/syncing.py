"""Syncs a file to disk in batches: at once if the last sync was long ago, else soon.

A process that dies loses nothing that it wrote, as the kernel has it; only a machine that loses
its power may lose what is not on the disk yet.
"""

import os
import threading
import time

WITHIN = 1.0  # seconds


class Syncs:
    """Syncs a file on request, at most once per interval, and at most one interval late.

    Args:
        descriptor: descriptor of the open file; a copy is kept, so that the file may be closed
            meanwhile.
        within: the interval in seconds.
    """

    def __init__(self, descriptor: int, *, within: float = WITHIN) -> None:
        self._descriptor, self._within = os.dup(descriptor), within
        self._last = time.monotonic() - within
        self._turn = threading.Lock()  # held while syncing
        self._timer: threading.Timer | None = None  # of a scheduled sync
        self._error: OSError | None = None  # of a failed sync, not yet raised

    def ask(self) -> None:
        """Have everything written so far on the disk within the interval.

        It is there when this returns if the last sync was longer ago than that.

        Raises:
            OSError: it could not be put there.
        """
        with self._turn:
            if self._timer is not None:
                return
            wait = self._last + self._within - time.monotonic()
            if wait <= 0:
                self._sync()
                return
            self._timer = threading.Timer(wait, self._late)
            self._timer.daemon = True
            self._timer.start()

    def check(self) -> None:
        """Make sure that every sync so far succeeded.

        Raises:
            OSError: a sync failed; each error is raised once.
        """
        error, self._error = self._error, None
        if error is not None:
            raise error

    def close(self) -> None:
        """Sync a last time, and release the file.

        Raises:
            OSError: this sync failed, or an earlier one whose error was not raised yet.
        """
        with self._turn:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            try:
                self.check()
                self._sync()
            finally:
                os.close(self._descriptor)

    def _late(self) -> None:
        """Sync in the timer's thread; an error is kept for the next call."""
        with self._turn:
            if self._timer is None:  # closed while this waited
                return
            self._timer = None
            try:
                self._sync()
            except OSError as error:
                self._error = error

    def _sync(self) -> None:
        self._last = time.monotonic()
        os.fsync(self._descriptor)
