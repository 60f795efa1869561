"""Handles SIGTERM, by which job schedulers stop a program, like Ctrl-C."""

import os
import signal
import threading
from types import FrameType


def sigterm_as_ctrl_c() -> None:
    """Let SIGTERM take the path of SIGINT; again after `ray.init`, which takes it over."""

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's
        os.kill(os.getpid(), signal.SIGINT)

    if threading.current_thread() is threading.main_thread():  # signals are its alone
        signal.signal(signal.SIGTERM, interrupt)
