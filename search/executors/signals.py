"""Being asked to stop by a scheduler (SIGTERM) is being asked by a person (Ctrl-C)."""

import os
import signal
from types import FrameType


def sigterm_as_ctrl_c() -> None:
    """Let SIGTERM take the path of SIGINT; again after `ray.init`, which takes it over."""

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's
        os.kill(os.getpid(), signal.SIGINT)

    signal.signal(signal.SIGTERM, interrupt)
