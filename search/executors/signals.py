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
_MOMENT = 0.05  # seconds between the repetitions of a wish
_IMPORT = "<frozen importlib._bootstrap>"  # file name in the stack frames that import a module
_REPEATING = ("_repeat", "repeat_dropped")  # names of the functions here that repeat a wish


class Wish:
    """Handles the signals that ask this process to end.

    The first wish is passed to a function that ends trials in order; where no trials run, and
    at the second wish, the running code is interrupted; the third ends the process at once.
    Signals within a second count as the same wish. During the import of modules the first wish
    waits: half-imported compiled modules may end the process with an obscure message.
    Any wish waits where an interruption would be dropped.
    """

    def __init__(self) -> None:
        self._times, self._last = 0, 0.0
        self._due: object | None = None  # a wish that waits, and is repeated meanwhile
        self._repeated = False  # whether the next signal only repeats it
        self._pass_on: Callable[[], None] | None = None
        self._outside = 0  # imports around the handler: the program may itself be imported

    def __call__(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's
        """Handle a signal.

        Raises:
            KeyboardInterrupt: to interrupt the running code.
        """
        if not self._repeated and not self._counts():
            return
        first = self._times == 1
        pass_on = self._pass_on if first else None
        importing = first and pass_on is None and _imports(frame) > self._outside
        if importing or _repeats(frame):
            self._repeat()
            self._repeated = False
            return
        self._due, self._repeated = None, False
        if pass_on is not None:
            pass_on()
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
        """Repeat the last wish until it is heard, as SIGINT, which nothing else handles."""
        if self._due is not None:
            return  # it is being repeated
        main, due = threading.main_thread().ident, object()
        self._due = due

        def come() -> None:
            while self._due is due:
                time.sleep(_MOMENT)
                if self._due is not due:
                    return  # it was heard with a newer one
                self._repeated = True
                # Sent to the main thread, which wakes it from a wait, as a real signal does.
                signal.pthread_kill(main or 0, signal.SIGINT)
                while self._repeated and self._due is due:
                    time.sleep(_MOMENT)

        threading.Thread(target=come, daemon=True).start()

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

    def rest(self) -> None:
        """Repeat nothing any more."""
        self._due = None

    @contextlib.contextmanager
    def not_dropped(self) -> Iterator[None]:
        """Within the block, repeat an interruption that Python drops.

        An exception in a destructor, or in code that runs after a fork, does not propagate:
        Python only logs it. A signal that arrives during a fork is handled right there.
        """
        before = sys.unraisablehook

        def repeat_dropped(dropped: "sys.UnraisableHookArgs") -> None:
            if issubclass(dropped.exc_type, KeyboardInterrupt):
                self._repeat()
            else:
                before(dropped)

        sys.unraisablehook = repeat_dropped
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
        wish.rest()
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
    return sum(each.f_code.co_filename == _IMPORT for each in _stack(frame))


def _repeats(frame: FrameType | None) -> bool:
    """Whether a wish is just being repeated, where an interruption could be dropped."""
    return any(
        each.f_code.co_filename == __file__ and each.f_code.co_name in _REPEATING
        for each in _stack(frame)
    )


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
