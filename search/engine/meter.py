"""Measures what a trial takes of its device: peak memory, energy, utilisation."""

import contextlib
import re
import resource
from pathlib import Path
from typing import NamedTuple

import torch

# Dense bf16 throughput that the maker states, in FLOP/s (two per multiply-add).
_PEAKS = {
    "H200": 989e12,
    "H100 PCIe": 756e12,
    "H100": 989e12,
    "A100": 312e12,
    "L40S": 362e12,
    "L4": 121e12,
    "A10G": 70e12,
    "RTX 4090": 165e12,
    "RTX 3090": 71e12,
}
# Parts and variants of these GPUs, with less throughput than stated for the name.
_LESS = re.compile(r"\b(MIG|NVL|Laptop|Ti|D)\b")
_FLOPS_A_MAC = 6  # of a training step: two FLOPs, for the forward pass and two gradients


class Reading(NamedTuple):
    """A reading for one trial; None where the device does not report it."""

    peak_memory: int | None  # bytes of the GPU, or of the whole process on a CPU
    energy: float | None  # joules of the whole device


class Meter:
    """Measures from its creation on.

    Args:
        device: where the trial runs.
        alone: whether nothing else runs there; energy cannot be divided among trials.
    """

    def __init__(self, device: torch.device, *, alone: bool) -> None:
        self._device, self._alone = device, alone
        if device.type == "cuda":
            torch.cuda.current_device()  # initialises CUDA, as a device by number does not
            torch.cuda.reset_peak_memory_stats(device)
        else:
            _reset_peak()
        self._start = self._joules()

    def read(self, *, graphs: bool = False) -> Reading:
        """What was used since the meter was created.

        Args:
            graphs: whether a network was captured as CUDA graphs. Torch counts the memory
                between its layers only as reserved then, and nothing else can use it.
        """
        now = self._joules()
        both = self._start is not None and now is not None
        energy = (now or 0.0) - (self._start or 0.0) if both else None
        return Reading(self._memory(graphs=graphs), energy)

    def _memory(self, *, graphs: bool) -> int | None:
        if self._device.type != "cuda":
            return peak_resident()
        if graphs:
            return torch.cuda.max_memory_reserved(self._device)
        return torch.cuda.max_memory_allocated(self._device)

    def _joules(self) -> float | None:
        if self._device.type != "cuda" or not self._alone:
            return None
        import pynvml  # noqa: PLC0415 - only needed with a GPU

        try:
            pynvml.nvmlInit()
            uuid = torch.cuda.get_device_properties(self._device).uuid
            handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
            return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000
        except pynvml.NVMLError:
            return None


def utilisation(device: torch.device, *, macs: int, images_per_s: float) -> float | None:
    """Share of the GPU's stated bf16 throughput that training uses (MFU).

    Args:
        device: None is returned if its throughput is not known here, as for any CPU.
        macs: multiply-adds of one image's forward pass.
        images_per_s: images per second of training.
    """
    if device.type != "cuda":
        return None
    peak = stated_peak(torch.cuda.get_device_name(device))
    return None if peak is None else _FLOPS_A_MAC * macs * images_per_s / peak


def stated_peak(name: str) -> float | None:
    """The dense bf16 FLOP/s stated for a GPU of this name; None if it is not known here."""
    if _LESS.search(name):
        return None
    return next((r for key, r in _PEAKS.items() if re.search(rf"\b{key}\b", name)), None)


def peak_resident() -> int:
    """Peak memory of this process since `_reset_peak`, in bytes."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _reset_peak() -> None:
    """Reset the peak on Linux; elsewhere it remains that of the process's life."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
