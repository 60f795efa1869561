"""Puts what a file holds on the disk in batches: at once where that was long ago, else soon.

A process that dies loses nothing that it wrote, as the kernel has it; only a machine that loses
its power may lose what is not on the disk yet.
"""

import os
import threading
import time

WITHIN = 1.0  # seconds


class Syncs:
    """Syncs a file when asked to, once in so many seconds at most, and never later than that.

    Args:
        descriptor: of the open file; a copy of it is kept, so that it may be closed meanwhile.
        within: seconds, both of these.
    """

    def __init__(self, descriptor: int, *, within: float = WITHIN) -> None:
        self._descriptor, self._within = os.dup(descriptor), within
        self._last = time.monotonic() - within
        self._turn = threading.Lock()  # held while syncing
        self._timer: threading.Timer | None = None  # of a sync to come
        self._error: OSError | None = None  # of a sync that nobody has heard of

    def ask(self) -> None:
        """Have all that is written by now on the disk within so many seconds.

        It is there when this returns if the last sync is longer ago than that.

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
        """See that every sync so far went well.

        Raises:
            OSError: of the one that did not; each is raised once.
        """
        error, self._error = self._error, None
        if error is not None:
            raise error

    def close(self) -> None:
        """Sync a last time, and let go of the file.

        Raises:
            OSError: it could not be put on the disk, or could not before and nobody heard.
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
        """In a thread of its own, which has nobody to tell of an error."""
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
