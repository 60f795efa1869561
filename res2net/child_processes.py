"""Start processes that ignore Ctrl-C."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from multiprocessing import resource_tracker
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # these ask a process to end


@contextlib.contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Make processes started in this context, and their children, ignore Ctrl-C.

    A terminal sends Ctrl-C to every process of a command. Only the process that waits for the
    others and ends them should react to it; each of the others would write a traceback into the
    output. They cannot block it themselves, because it may arrive while Python starts, before
    any of their lines has run. So they inherit the signal as blocked, as `multiprocessing` does
    for its own helper process.

    This process handles the signal only once they are started: a child still waiting for its
    instructions would otherwise write a traceback too.
    """
    # Otherwise the tracker starts with the first of them, and unblocks the signal.
    resource_tracker.ensure_running()
    with _first_signal_waits():
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _first_signal_waits() -> Iterator[None]:
    """Hold back the first signal that asks to end; a second one takes effect at once."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread only, and interrupt nothing here
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
        if handler is not signal.SIG_IGN:  # ignored under nohup, for example
            signal.signal(number, wait)
    try:
        yield
    finally:
        hear_again()
        for first in came:
            signal.raise_signal(first)
