"""Time inference and a training step of one network on a device."""

import contextlib
import ctypes
import gc
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from res2net.architecture import Architecture
from res2net.building import build
from res2net.cores import usable_cores
from res2net.norms import smallest_normed_side

# Runs of each kind: enough for visibly stable times, few enough not to take long.
_WARM_UP, _FEWEST, _MOST = 2, 5, 100
_PEAK = Path("/proc/self/status")


class Timed(NamedTuple):
    """Hold how long one kind of pass took for one batch."""

    what: str  # "inference" or "training step"
    batch: int
    runs: int
    median: float  # seconds, like `low` and `high`, the lower and upper quartiles
    low: float
    high: float
    images_per_s: float
    memory: int | None  # peak bytes beyond those in use before; None where unknown


class Timing(NamedTuple):
    """Hold how long passes took, on which device and for which image side."""

    device: str
    image_size: int
    rows: tuple[Timed, ...]

    def to_json(self) -> dict[str, object]:
        """Convert to JSON objects."""
        rows = [row._asdict() for row in self.rows]
        return {"device": self.device, "precision": "float32", "timed": rows}


class TimingError(Exception):
    """Raised where a device does not exist, or a batch does not fit its memory."""


def time_batches(
    architecture: Architecture,
    batches: Sequence[int],
    *,
    device: str,
    image_size: int,
    seconds: float = 2.0,
    training: bool = True,
) -> Timing:
    """Time a network in float32 as made by `res2net.build`.

    Args:
        architecture: architecture of the network.
        batches: batch sizes in images, timed one after another.
        device: "cpu" or "cuda".
        image_size: side of the images in pixels.
        seconds: approximate time for which each kind of pass is repeated.
        training: whether to time training steps too.

    Returns:
        For each batch size, a row for inference and one for a training step. The latter is
        missing where one image leaves a batch norm a single number, or where it is not wanted.

    Raises:
        TimingError: the machine has no such device, or a batch does not fit its memory.
    """
    where = torch.device(device)
    if where.type == "cuda" and not torch.cuda.is_available():
        raise TimingError("--device: there is no GPU that torch can use; write cpu")
    try:
        network = build(architecture, device=where)
    except RuntimeError as error:
        if not _is_too_large(error):
            raise
        raise TimingError(
            f"{architecture.name}: does not fit into the memory of {device_in_words(where)}"
        ) from error
    # A batch norm cannot normalise a single number.
    fewest = 2 if smallest_normed_side(architecture, image_size=image_size) == 1 else 1
    rows: list[Timed] = []
    for batch in batches:
        shape = (batch, architecture.channels, image_size, image_size)
        try:
            images = torch.randn(shape, device=where)
            rows += _time(network, images, seconds, trained=training and batch >= fewest)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            if not _is_too_large(error):
                raise
            raise TimingError(
                f"--batch: {batch} images of {image_size} pixels do not fit into the memory of "
                f"{device_in_words(where)}; write fewer"
            ) from error
    return Timing(device_in_words(where), image_size, tuple(rows))


def _is_too_large(error: Exception) -> bool:
    """Whether an error means that something does not fit into the memory."""
    words = ["memory", "overflow", "allocate"]
    if isinstance(error, torch.AcceleratorError):  # "illegal memory access" is a fault
        words = ["out of memory"]
    return any(word in str(error).lower() for word in words)


def device_in_words(device: torch.device) -> str:
    """Name the device and what else the times depend on."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n")
        model = next((line for line in lines if line.startswith("model name")), model)
    name = model.partition(":")[2].strip() or model
    threads = torch.get_num_threads()
    cores = usable_cores()
    return f"{name}, {threads} threads on {cores} cores, torch {torch.__version__}"


def _time(
    network: nn.Module, images: torch.Tensor, seconds: float, *, trained: bool
) -> list[Timed]:
    network.eval()
    inference = timed(
        "inference", lambda: _infer(network, images), len(images), images.device, seconds
    )
    if not trained:
        return [inference]
    network.train()
    training = timed(
        "training step", lambda: _train(network, images), len(images), images.device, seconds
    )
    return [inference, training]


def _infer(network: nn.Module, images: torch.Tensor) -> None:
    with torch.inference_mode():
        network(images)


def _train(network: nn.Module, images: torch.Tensor) -> None:
    torch.autograd.backward(network(images).square().mean())
    network.zero_grad(set_to_none=True)


def timed(
    what: str, run: Callable[[], None], batch: int, device: torch.device, seconds: float
) -> Timed:
    """Time a pass repeatedly, after some warm-up passes.

    Args:
        what: kind of pass, as named in the row.
        run: starts one pass on the device.
        batch: images per pass.
        device: the device to wait for.
        seconds: approximate time for which it is repeated; at least 5 and at most 100 times.
    """
    before = _begin_memory(device)
    for _ in range(_WARM_UP):
        run()
    wait_for(device)
    times: list[float] = []
    begin = time.perf_counter()
    while len(times) < _FEWEST or (
        len(times) < _MOST and time.perf_counter() - begin < seconds
    ):
        start = time.perf_counter()
        run()
        wait_for(device)
        times.append(time.perf_counter() - start)
    low, median, high = statistics.quantiles(times, n=4, method="inclusive")
    peak = _peak_memory(device)
    used = None if before is None or peak is None else max(0, peak - before)
    return Timed(what, batch, len(times), median, low, high, batch / median, used)


def wait_for(device: torch.device) -> None:
    """Wait until a device has finished its work; a CPU needs no wait."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def return_freed_memory() -> None:
    """Return the memory that this process has freed to the system, where glibc keeps it."""
    with contextlib.suppress(OSError, AttributeError):  # a C library other than glibc
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _begin_memory(device: torch.device) -> int | None:
    """Reset the peak memory; return the bytes now in use."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return torch.cuda.memory_allocated(device)
    gc.collect()
    return_freed_memory()  # otherwise it counts as in use
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # resets VmHWM
    except OSError:
        return None
    return _kibibytes("VmRSS")


def _peak_memory(device: torch.device) -> int | None:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return _kibibytes("VmHWM")


def _kibibytes(entry: str) -> int | None:
    """Read one of the process's memory entries, in bytes; only Linux has them."""
    try:
        lines = _PEAK.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    found = [line for line in lines if line.startswith(f"{entry}:")]
    return int(found[0].split()[1]) * 1024 if found else None
