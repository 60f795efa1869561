"""Records where and when a study was started: command, commit, versions and machine."""

import hashlib
import importlib.metadata
import os
import platform
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_PACKAGES = ("torch", "torchvision", "ray", "optuna", "numpy", "pillow", "scikit-learn")


def start_of(command: Sequence[str]) -> dict[str, Any]:
    """Note a start: when, by which command, at which commit, with which versions, on what."""
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": list(command),
        "git_commit": _git_commit(),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "machine": platform.machine(),
        "processor": processor(),
        "cpus": os.cpu_count(),
    }


def _git_commit() -> str | None:
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40"],  # noqa: S607
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None  # installed without its history
    return answer.stdout.strip()


def processor_kind() -> str:
    """What this machine's CPU computes with: its model by number, and a digest of what it can.

    Virtual machines often give only a family's name, such as "AMD EPYC", whose members round
    otherwise. Empty where the system does not tell.
    """
    try:
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0]
    except OSError:
        return ""
    told = dict(line.split(":", 1) for line in first.splitlines() if ":" in line)
    known = {key.strip(): value.strip() for key, value in told.items()}
    if "flags" not in known:
        return ""
    numbers = [f"{key} {known.get(key, '?')}" for key in ("cpu family", "model", "stepping")]
    able = hashlib.sha256(" ".join(sorted(known["flags"].split())).encode()).hexdigest()
    return f"{processor()}, {', '.join(numbers)}, able to {able[:12]}"


def processor() -> str:
    """The model of this machine's CPU, as its maker names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
