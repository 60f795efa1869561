"""Takes Ctrl-C, SIGTERM (job schedulers) and SIGHUP (a closed terminal) for one wish: to end.

Only the standard library is imported here: commands take signals in hand before all else.
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

STOPPED = 130  # of res2net.exit_codes, whose package takes a while to import
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_BURST = 1.0  # seconds; schedulers send several at once, and people press more than once
_MOMENT = 0.05  # seconds
_IMPORT = "<frozen importlib._bootstrap>"  # the file of the lines that import a module


class Wish:
    """Handles the signals that ask this process to end.

    The first is passed to whoever can end in order; where nobody runs trials, and at the second
    one, whatever runs is interrupted; the third ends the process at once. What follows within a
    second is the same wish. While modules are imported the first one waits: compiled ones that
    are half imported may end the process with words that nobody understands.
    """

    def __init__(self) -> None:
        self._times, self._last = 0, 0.0
        self._repeats: int | None = None  # which of them the next signal is once more
        self._pass_on: Callable[[], None] | None = None
        self._outside = 0  # imports under way around it: of a program that is itself a module

    def __call__(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's
        """Take a signal.

        Raises:
            KeyboardInterrupt: what runs is interrupted.
        """
        repeats, self._repeats = self._repeats, None
        if repeats is None and not self._counts():
            return
        if repeats is not None and repeats < self._times:
            return  # another one has been heard since
        if self._times == 1 and self._pass_on is not None:
            self._pass_on()
        elif self._times == 1 and _imports(frame) > self._outside:
            self._repeat()
        elif self._times <= 2:
            raise KeyboardInterrupt
        else:
            os._exit(STOPPED)

    def _counts(self) -> bool:
        """Whether a signal that has come is a wish of its own."""
        again = self._times > 0 and time.monotonic() - self._last < _BURST
        self._last = time.monotonic()
        self._times += not again
        return not again

    def _repeat(self) -> None:
        """Let the last wish come once more, in a moment; as Ctrl-C, which nobody else takes."""
        main, times = threading.main_thread().ident, self._times

        def come() -> None:
            self._repeats = times
            # To the main thread, whom it wakes from what it waits for, as a real one does.
            signal.pthread_kill(main or 0, signal.SIGINT)

        later = threading.Timer(_MOMENT, come)
        later.daemon = True
        later.start()

    def take(self) -> None:
        """Handle the signals from now on; one that was ignored, as by nohup, stays so.

        Again after `ray.init`, which takes SIGTERM over.
        """
        if threading.current_thread() is not threading.main_thread():
            return  # signals are the main one's alone
        self._outside = _imports(inspect.currentframe())
        for number in _SIGNALS:
            hung_up = number is signal.SIGHUP
            if not (hung_up and signal.getsignal(number) is signal.SIG_IGN):
                signal.signal(number, self)

    @contextlib.contextmanager
    def not_dropped(self) -> Iterator[None]:
        """While this lasts, an interruption that Python drops comes once more.

        What is raised in a destructor, or in what runs after a fork, goes no further: Python
        only writes it down. A signal that comes while a process forks is heard right there.
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
        """While this lasts, the first signal calls a function instead of interrupting."""
        before, self._pass_on = self._pass_on, pass_on
        try:
            yield
        finally:
            self._pass_on = before


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
        with wish.not_dropped():
            yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_process(main: Callable[[Sequence[str]], int]) -> NoReturn:
    """Be a command: run it on the arguments of this process, and end with its exit code."""
    wish = Wish()
    wish.take()
    try:
        with wish.not_dropped():
            code = _run(main)
    except KeyboardInterrupt:  # the second, while the first was dealt with
        code = STOPPED
    for number in _SIGNALS:  # it is decided, and Python, as it ends, would let them kill it
        signal.signal(number, signal.SIG_IGN)
    # Where code that is a string was interrupted, as that by which a dataclass is made, Python
    # remembers it and kills itself at the end, by SIGINT. It forgets with the next such string.
    eval("0")  # noqa: S307 - see above
    sys.exit(code)


def _run(main: Callable[[Sequence[str]], int]) -> int:
    try:
        return main(sys.argv[1:])
    except KeyboardInterrupt:  # while it was imported: later ones it deals with itself
        with contextlib.suppress(OSError, ValueError, AttributeError):  # stderr may be closed
            sys.stderr.write("stopped\n")
        return STOPPED


def _imports(frame: FrameType | None) -> int:
    """How many lines below this one import a module."""
    count = 0
    while frame is not None:
        count += frame.f_code.co_filename == _IMPORT
        frame = frame.f_back
    return count
