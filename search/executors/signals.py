"""Treats Ctrl-C, SIGTERM (job schedulers) and SIGHUP (a closed terminal) as one wish: to end.

Only the standard library is imported here: commands install the handlers before anything else.
"""

import contextlib
import inspect
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import NoReturn

STOPPED = 130  # as in res2net.exit_codes, whose package takes a while to import
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_BURST = 1.0  # seconds; schedulers send several signals at once, and people press repeatedly
_MOMENT = 0.05  # seconds
_IMPORT = "<frozen importlib._bootstrap>"  # file name in the stack frames that import a module


class Wish:
    """Handles the signals that ask this process to end.

    The first wish is passed to a function that ends trials in order; where no trials run, and
    at the second wish, the running code is interrupted; the third ends the process at once.
    Signals within a second count as the same wish. During the import of modules the first wish
    waits: half-imported compiled modules may end the process with an obscure message.
    """

    def __init__(self) -> None:
        self._times, self._last = 0, 0.0
        self._repeats: int | None = None  # number of the wish that the next signal repeats
        self._pass_on: Callable[[], None] | None = None
        self._outside = 0  # imports around the handler: the program may itself be imported

    def __call__(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's
        """Handle a signal.

        Raises:
            KeyboardInterrupt: to interrupt the running code.
        """
        repeats, self._repeats = self._repeats, None
        if repeats is None and not self._counts():
            return
        if repeats is not None and repeats < self._times:
            return  # another signal came since
        if self._times == 1 and self._pass_on is not None:
            self._pass_on()
        elif self._times == 1 and _imports(frame) > self._outside:
            self._repeat()
        elif self._times <= 2:
            raise KeyboardInterrupt
        else:
            os._exit(STOPPED)

    def _counts(self) -> bool:
        """Whether a signal counts as a new wish."""
        again = self._times > 0 and time.monotonic() - self._last < _BURST
        self._last = time.monotonic()
        self._times += not again
        return not again

    def _repeat(self) -> None:
        """Repeat the last wish in a moment, as SIGINT, which nothing else handles here."""
        main, times = threading.main_thread().ident, self._times

        def come() -> None:
            self._repeats = times
            # Sent to the main thread, which wakes it from a wait, as a real signal does.
            signal.pthread_kill(main or 0, signal.SIGINT)

        later = threading.Timer(_MOMENT, come)
        later.daemon = True
        later.start()

    def take(self) -> None:
        """Handle the signals from now on; one that was ignored, as by nohup, stays ignored.

        Called again after `ray.init`, which takes SIGTERM over.
        """
        if threading.current_thread() is not threading.main_thread():
            return  # only the main thread may set handlers
        self._outside = _imports(inspect.currentframe())
        for number in _SIGNALS:
            hung_up = number is signal.SIGHUP
            if not (hung_up and signal.getsignal(number) is signal.SIG_IGN):
                signal.signal(number, self)

    @contextlib.contextmanager
    def not_dropped(self) -> Iterator[None]:
        """Within the block, repeat an interruption that Python drops.

        An exception in a destructor, or in code that runs after a fork, does not propagate:
        Python only logs it. A signal that arrives during a fork is handled right there.
        """
        before = sys.unraisablehook

        def hook(dropped: "sys.UnraisableHookArgs") -> None:
            if issubclass(dropped.exc_type, KeyboardInterrupt):
                self._repeat()
            else:
                before(dropped)

        sys.unraisablehook = hook
        try:
            yield
        finally:
            sys.unraisablehook = before

    @contextlib.contextmanager
    def passed_to(self, pass_on: Callable[[], None]) -> Iterator[None]:
        """Within the block, let the first signal call a function instead of interrupting."""
        before, self._pass_on = self._pass_on, pass_on
        try:
            yield
        finally:
            self._pass_on = before


@contextlib.contextmanager
def asked_to_end() -> Iterator[Wish]:
    """Within the block, treat the three signals as one wish: the process's, if it has one.

    Does nothing in a thread other than the main one, which receives the signals.
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
        with wish.not_dropped():
            yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_process(main: Callable[[Sequence[str]], int]) -> NoReturn:
    """Run a command on the arguments of this process, and end with its exit code."""
    wish = Wish()
    wish.take()
    try:
        with wish.not_dropped():
            code = _run(main)
    except KeyboardInterrupt:  # the second wish, while the first was handled
        code = STOPPED
    for number in _SIGNALS:  # the exit is decided, but a signal could kill Python while it ends
        signal.signal(number, signal.SIG_IGN)
    # If an interrupt hit code compiled from a string, as dataclasses make it, Python remembers
    # it and kills itself with SIGINT at the end. Running another string clears that.
    eval("0")  # noqa: S307 - see above
    sys.exit(code)


def _run(main: Callable[[Sequence[str]], int]) -> int:
    try:
        return main(sys.argv[1:])
    except KeyboardInterrupt:  # during its import: later ones are handled inside
        with contextlib.suppress(OSError, ValueError, AttributeError):  # stderr may be closed
            sys.stderr.write("stopped\n")
        return STOPPED


def _imports(frame: FrameType | None) -> int:
    """How many stack frames up from this one import a module."""
    count = 0
    while frame is not None:
        count += frame.f_code.co_filename == _IMPORT
        frame = frame.f_back
    return count
