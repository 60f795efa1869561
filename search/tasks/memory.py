"""Keeps and frees memory, limits a process to its share of a GPU, and detects out of memory."""

import contextlib
import ctypes
import gc
from collections.abc import Callable, Iterator
from typing import TypeVar

import torch

from res2net.timing import return_freed_memory
from search.tasks.base import PreparationError

Result = TypeVar("Result")

# Torch's message for a batch of one image where a feature map is one pixel wide and high.
TOO_FEW = "Expected more than 1 value per channel"
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # options of glibc's mallopt
_LARGE = 2**31 - 1  # bytes
CUDA_CONTEXT = 600 * 2**20  # bytes that CUDA itself takes in every process
_LITTLE = 0.1  # share of a GPU's memory, or of the part that a process may use
# A CPU's allocator and convolutions, and CUDA outside torch's allocator, raise plain
# RuntimeErrors. After any of them the device is still usable.
_WORDS = (
    "can't allocate memory",
    "could not create a primitive",
    "_STATUS_ALLOC_FAILED",
    "ALLOCATION_FAILED",
    "CUDA error: out of memory",
    "CUDA out of memory",  # in the compiler's own errors
    "CUDA driver error: out of memory",
    "[CUDA]: out of memory",  # Triton
)
# Messages of cuDNN and cuBLAS when their workspaces do not fit, but in other cases as well.
_PERHAPS = (
    "unable to find an engine to execute this computation",
    "CUBLAS_STATUS_NOT_INITIALIZED",
    "CUDNN_STATUS_NOT_INITIALIZED",
    "CUDNN_STATUS_EXECUTION_FAILED",
    "CUBLAS_STATUS_EXECUTION_FAILED",
)


def keep_freed_memory() -> None:
    """Tell glibc not to return large blocks to the system; does nothing elsewhere.

    By default, freed blocks above 32 MiB are returned to the system and fetched again, page by
    page and zeroed, at the next step: measured, a training step on a CPU then takes 1.06 to 1.4
    times as long.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE)
        mallopt(_TRIM_THRESHOLD, _LARGE)


def keep_to_share(device: torch.device, share: float) -> None:
    """Limit this process to its share of a GPU.

    Otherwise a large trial makes those beside it run out of memory, and results depend on
    neighbours.
    """
    total = torch.cuda.get_device_properties(device).total_memory
    own = share - CUDA_CONTEXT / total
    torch.cuda.set_per_process_memory_fraction(max(own, share / 2), device.index)


def free_memory() -> None:
    """Free unused memory: objects in reference cycles, and cached blocks on the GPU."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def in_fewest_pieces(
    run: Callable[[int], Result], *, fewest: int, most: int
) -> tuple[Result, int]:
    """Run with each batch in the fewest pieces that fit into memory.

    Args:
        run: a function of the number of pieces; it may be called again with twice as many.
        fewest: the first number of pieces.
        most: number of images of a batch.

    Returns:
        What the function returned, and the number of pieces.

    Raises:
        MemoryError: pieces that would fit are too small for the network's norms.
    """
    pieces = fewest
    while True:
        try:
            return run(pieces), pieces
        except Exception as error:
            if pieces > fewest and TOO_FEW in str(error):
                raise MemoryError(
                    "a batch does not fit into memory, and norms cannot train on less of it"
                ) from error
            if not is_out_of_memory(error) or pieces >= most:
                raise
        # Outside of the handler, whose error holds what the function made.
        free_memory()
        return_freed_memory()
        pieces = min(2 * pieces, most)


def lift_share(device: torch.device) -> None:
    """Let this process use the whole GPU again, unless the GPU has failed."""
    with contextlib.suppress(RuntimeError):
        torch.cuda.set_per_process_memory_fraction(1.0, device.index)


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error means that memory has run out, on a device or on the machine."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    # When memory runs out while a graph is captured, ending the capture fails as well.
    if isinstance(error, torch.AcceleratorError) and any(
        isinstance(one, torch.OutOfMemoryError) for one in _before(error)
    ):
        return True
    if not isinstance(error, RuntimeError) or isinstance(error, PreparationError):
        return False
    said = str(error)
    return any(words in said for words in _WORDS) or (
        any(words in said for words in _PERHAPS) and _little_is_left()
    )


def _before(error: BaseException) -> Iterator[BaseException]:
    """The errors during whose handling this one came, newest first."""
    while error.__context__ is not None:
        error = error.__context__
        yield error


def _little_is_left() -> bool:
    """Whether this process's GPU, or its share of one, is nearly full."""
    if not torch.cuda.is_available():
        return False
    try:
        free, total = torch.cuda.mem_get_info()
    except RuntimeError:  # it no longer responds
        return False
    share = torch.cuda.get_per_process_memory_fraction() * total
    left = share - torch.cuda.memory_reserved()
    return free < _LITTLE * total or left < _LITTLE * share
