"""Records where and when a study was started: command, commit, versions and machine."""

import functools
import importlib.metadata
import os
import platform
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from search.study.processor import processor, processor_kind

_PACKAGES = ("torch", "torchvision", "ray", "optuna", "numpy", "pillow", "scikit-learn")

_ELSEWHERE = ("optuna", "ray")  # not used in training; Ray compares its own version


def start_of(command: Sequence[str]) -> dict[str, Any]:
    """Describe a start: when, by which command, which commit, which versions, what machine."""
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": list(command),
        "git_commit": _git_commit(),
        "python": platform.python_version(),
        "versions": versions(),
        "machine": platform.machine(),
        "processor": processor(),
        "processor_kind": processor_kind(),
        "cpus": os.cpu_count(),
    }


def was_on_cluster(start: Mapping[str, Any]) -> bool:
    """Whether a start ran its trials on other machines than the one recorded."""
    return any(word.startswith("--address") for word in start.get("command", ()))


# Cached: loaded code stays as it was when this process began, even if the files change.
def versions_of_training() -> dict[str, str]:
    """The versions of the packages that a trial's numbers depend on, by name."""
    return {name: version for name, version in versions().items() if name not in _ELSEWHERE}


@functools.cache
def versions() -> dict[str, str]:
    """The versions of the packages that a study depends on, by name."""
    return {name: importlib.metadata.version(name) for name in _PACKAGES}


@functools.cache
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
