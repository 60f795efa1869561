"""Handles memory: keeps freed blocks with the process, and recognises when it runs out."""

import ctypes

import torch

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # names of glibc's mallopt
_LARGE = 2**31 - 1  # bytes
# A CPU's allocator and convolutions, and CUDA outside of torch's allocator, raise plain
# RuntimeErrors. None of them leaves the device unusable.
_WORDS = (
    "can't allocate memory",
    "could not create a primitive",
    "_STATUS_ALLOC_FAILED",
    "ALLOCATION_FAILED",
    "CUDA error: out of memory",
)


def keep_freed_memory() -> None:
    """Tell glibc not to give large blocks back; elsewhere nothing happens.

    By default blocks above 32 MiB are returned to the system when they are freed and fetched
    anew, page by page and zeroed, at the next step: measured, 1.06 to 1.4 times the time of a
    training step on a CPU.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE)
        mallopt(_TRIM_THRESHOLD, _LARGE)


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error means that there is not enough memory, of a device or the machine."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _WORDS)
