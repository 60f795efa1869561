"""Takes Ctrl-C, SIGTERM (job schedulers) and SIGHUP (a closed terminal) for one wish: to end.

Only the standard library is imported here: commands take signals in hand before all else.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import NoReturn

STOPPED = 130  # of res2net.exit_codes, whose package takes a while to import
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_BURST = 1.0  # seconds; schedulers send several at once, and people press more than once


class Wish:
    """Handles the signals that ask this process to end.

    The first is passed to whoever can end in order; where nobody runs trials, and at the second
    one, whatever runs is interrupted; the third ends the process at once. What follows within a
    second is the same wish.
    """

    def __init__(self) -> None:
        self._times, self._last = 0, 0.0
        self._pass_on: Callable[[], None] | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's
        """Take a signal.

        Raises:
            KeyboardInterrupt: what runs is interrupted.
        """
        again = self._times > 0 and time.monotonic() - self._last < _BURST
        self._last = time.monotonic()
        if again:
            return
        self._times += 1
        if self._times == 1 and self._pass_on is not None:
            self._pass_on()
        elif self._times <= 2:
            raise KeyboardInterrupt
        else:
            os._exit(STOPPED)

    def take(self) -> None:
        """Handle the signals from now on; one that was ignored, as by nohup, stays so.

        Again after `ray.init`, which takes SIGTERM over.
        """
        if threading.current_thread() is not threading.main_thread():
            return  # signals are the main one's alone
        for number in _SIGNALS:
            hung_up = number is signal.SIGHUP
            if not (hung_up and signal.getsignal(number) is signal.SIG_IGN):
                signal.signal(number, self)

    @contextlib.contextmanager
    def passed_to(self, pass_on: Callable[[], None]) -> Iterator[None]:
        """While this lasts, the first signal calls a function instead of interrupting."""
        before, self._pass_on = self._pass_on, pass_on
        try:
            yield
        finally:
            self._pass_on = before

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """While this lasts, the first signal waits: compiled modules may not be half imported.

        Raises:
            KeyboardInterrupt: afterwards, if one came.
        """
        came = threading.Event()
        with self.passed_to(came.set):
            yield
        if came.is_set():
            raise KeyboardInterrupt


@contextlib.contextmanager
def asked_to_end() -> Iterator[Wish]:
    """While this lasts, the three signals are one wish; the one of the process, if it has one.

    In a thread that is not the main one, whose signals they are, nothing changes.
    """
    wish = signal.getsignal(signal.SIGINT)
    if isinstance(wish, Wish):
        yield wish
        return
    wish = Wish()
    if threading.current_thread() is not threading.main_thread():
        yield wish
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    wish.take()
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_process(main: Callable[[Sequence[str]], int]) -> NoReturn:
    """Be a command: run it on the arguments of this process, and end with its exit code."""
    wish = Wish()
    wish.take()
    try:
        code = _run(main)
    except KeyboardInterrupt:  # the second, while the first was dealt with
        code = STOPPED
    for number in _SIGNALS:  # it is decided, and Python, as it ends, would let them kill it
        signal.signal(number, signal.SIG_IGN)
    sys.exit(code)


def _run(main: Callable[[Sequence[str]], int]) -> int:
    try:
        return main(sys.argv[1:])
    except KeyboardInterrupt:  # while it was imported: later ones it deals with itself
        with contextlib.suppress(OSError, ValueError, AttributeError):  # stderr may be closed
            sys.stderr.write("stopped\n")
        return STOPPED
