"""Classifies an error in a trial: a result of its network, or a failure of the machine."""

import traceback
from pathlib import Path

import torch

from search.schema.files import NO_ROOM
from search.study.events import Status
from search.tasks.base import DivergedError, PreparationError
from search.tasks.memory import is_out_of_memory

# Messages of a GPU that fails in the middle of a computation, as plain RuntimeErrors.
_BROKEN = ("CUDNN_STATUS_EXECUTION_FAILED", "CUBLAS_STATUS_EXECUTION_FAILED")


class LostError(Exception):
    """The machine failed a trial, not its network: the trial can be run again.

    Args:
        reason: reason in words.
        new_process: whether this process is no longer usable, as after a GPU error.
    """

    def __init__(self, reason: str, *, new_process: bool) -> None:
        super().__init__(reason)
        self.new_process = new_process


def raise_if_of_the_machine(error: Exception) -> None:
    """Raise a failure of the machine out of the trial; do nothing for any other error.

    Raises:
        OSError: a disk cannot be written any more, which would fail all further trials.
        LostError: a file could not be read, or a GPU failed.
    """
    if is_out_of_memory(error):
        return
    cause = error.__cause__
    # Of the system, said by a data set; what Pillow raises for damaged files has no errno.
    if isinstance(cause, OSError) and cause.errno is not None:
        error = cause
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        raise error
    if is_of_the_gpu(error) or isinstance(error, OSError):
        raise LostError(in_one_line(error), new_process=is_of_the_gpu(error)) from error


def is_of_the_gpu(error: Exception) -> bool:
    """Whether the GPU has failed, so that this process can no longer use it."""
    if isinstance(error, PreparationError):  # it names an error after which the GPU was tried
        return False
    said = str(error) if isinstance(error, RuntimeError) else ""
    return isinstance(error, torch.AcceleratorError) or any(one in said for one in _BROKEN)


def outcome(error: Exception) -> tuple[Status, str]:
    """The status with which a trial ends after an error, and its reason in words."""
    if isinstance(error, DivergedError):
        return Status.DIVERGED, str(error)
    status = Status.OUT_OF_MEMORY if is_out_of_memory(error) else Status.FAILED
    return status, in_one_line(error)


def in_one_line(error: Exception) -> str:
    """Type, message and place of an error."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    message = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {message} ({where})"
