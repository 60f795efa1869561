"""What an error in a trial means: a result of its network, or a failure of the machine."""

import errno
import traceback
from pathlib import Path

import torch

from search.study.events import Status
from search.tasks.base import DivergedError
from search.tasks.memory import is_out_of_memory

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class LostError(Exception):
    """The machine failed a trial, not its network: it can be run again.

    Args:
        reason: in words.
        new_process: whether this process is of no use any more, as after an error of its GPU.
    """

    def __init__(self, reason: str, *, new_process: bool) -> None:
        super().__init__(reason)
        self.new_process = new_process


def raise_if_of_the_machine(error: Exception) -> None:
    """Let a failure of the machine out of the trial; of any other error nothing happens.

    Raises:
        OSError: a disk takes nothing more, which would fail every trial to come.
        LostError: a file could not be read, a GPU failed.
    """
    if is_out_of_memory(error):
        return
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        raise error
    if isinstance(error, (OSError, torch.AcceleratorError)):
        new_process = isinstance(error, torch.AcceleratorError)
        raise LostError(in_one_line(error), new_process=new_process) from error


def outcome(error: Exception) -> tuple[Status, str]:
    """How a trial ends that raised an error, and its reason in words."""
    if isinstance(error, DivergedError):
        return Status.DIVERGED, str(error)
    status = Status.OUT_OF_MEMORY if is_out_of_memory(error) else Status.FAILED
    return status, in_one_line(error)


def in_one_line(error: Exception) -> str:
    """Kind, message and place of an error."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    message = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {message} ({where})"
