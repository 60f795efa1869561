"""Keeps and frees memory, holds a process to its share of a GPU, and sees when memory ends."""

import ctypes
import gc

import torch

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # names of glibc's mallopt
_LARGE = 2**31 - 1  # bytes
CUDA_CONTEXT = 600 * 2**20  # bytes that CUDA itself takes in every process
_LITTLE = 0.1  # of a GPU's memory, or of the share of it that a process may take
# A CPU's allocator and convolutions, and CUDA outside of torch's allocator, raise plain
# RuntimeErrors. None of them leaves the device unusable.
_WORDS = (
    "can't allocate memory",
    "could not create a primitive",
    "_STATUS_ALLOC_FAILED",
    "ALLOCATION_FAILED",
    "CUDA error: out of memory",
)
# What cuDNN and cuBLAS say where their workspaces do not fit, and of other things as well.
_PERHAPS = (
    "unable to find an engine to execute this computation",
    "CUBLAS_STATUS_NOT_INITIALIZED",
    "CUDNN_STATUS_NOT_INITIALIZED",
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


def keep_to_share(device: torch.device, share: float) -> None:
    """Let this process take no more than its share of a GPU.

    Else a trial that takes much makes those beside it run out of memory, and results depend on
    neighbours.
    """
    total = torch.cuda.get_device_properties(device).total_memory
    own = share - CUDA_CONTEXT / total
    torch.cuda.set_per_process_memory_fraction(max(own, share / 2), device.index)


def free_memory() -> None:
    """Let go of what nobody uses: of objects that refer to themselves, and on the GPU."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def lift_share(device: torch.device) -> None:
    """Let this process take the whole GPU again."""
    torch.cuda.set_per_process_memory_fraction(1.0, device.index)


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error means that there is not enough memory, of a device or the machine."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    if not isinstance(error, RuntimeError):
        return False
    said = str(error)
    return any(words in said for words in _WORDS) or (
        any(words in said for words in _PERHAPS) and _little_is_left()
    )


def _little_is_left() -> bool:
    """Whether the GPU of this process is nearly full, or what the process may take of it."""
    if not torch.cuda.is_available():
        return False
    try:
        free, total = torch.cuda.mem_get_info()
    except RuntimeError:  # it answers nothing any more
        return False
    share = torch.cuda.get_per_process_memory_fraction() * total
    left = share - torch.cuda.memory_reserved()
    return free < _LITTLE * total or left < _LITTLE * share
