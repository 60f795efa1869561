"""Starts processes that Ctrl-C passes by."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from multiprocessing import resource_tracker
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # that ask a process to end


@contextlib.contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Processes that are started meanwhile do not hear Ctrl-C, nor do theirs.

    A terminal sends it to every process of a command. It is for the one that waits for the
    others and ends them; each of those would write a traceback between its words. They cannot
    see to it themselves, for it may come while Python starts, before any line of theirs. So
    they inherit that it is blocked, as `multiprocessing` has it for a process of its own.

    This process does as it is asked once they are started: one that waits for what it shall do
    would write a traceback too.
    """
    # Else it is started with the first of them, which unblocks the signal.
    resource_tracker.ensure_running()
    with _first_signal_waits():
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _first_signal_waits() -> Iterator[None]:
    """While this lasts, the first that asks to end waits; the second is heard at once."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main one's alone, and interrupt nothing here
        return
    heard = {number: signal.getsignal(number) for number in _SIGNALS}
    came: list[int] = []

    def hear_again() -> None:
        for number, handler in heard.items():
            signal.signal(number, handler)

    def wait(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's
        came.append(number)
        hear_again()

    for number, handler in heard.items():
        if handler is not signal.SIG_IGN:  # as by nohup
            signal.signal(number, wait)
    try:
        yield
    finally:
        hear_again()
        for first in came:
            signal.raise_signal(first)
