"""Describes the machine and the versions, without which a table of times is worthless."""

import platform
from importlib.metadata import version
from pathlib import Path

import torch


def machine(device: torch.device, *packages: str) -> str:
    """The device's name, torch's threads on a CPU, and versions of torch and `packages`."""
    if device.type == "cuda":
        where = torch.cuda.get_device_name(device)
    else:
        cpuinfo = Path("/proc/cpuinfo")
        lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
        names = (line.partition(":")[2].strip() for line in lines if "model name" in line)
        where = f"{next(names, platform.processor())}, {torch.get_num_threads()} threads"
    versions = (f"{package} {version(package)}" for package in packages)
    return f"{where}; {', '.join((f'torch {torch.__version__}', *versions))}"


def wait(device: torch.device) -> None:
    """Wait until the device has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
