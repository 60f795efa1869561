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

from res2net.cores import usable_cores
from search.study.processor import processor, processor_kind

_PACKAGES = ("torch", "torchvision", "ray", "optuna", "numpy", "pillow", "scikit-learn")

_GIT_SECONDS = 10  # a network file system may hang
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
        "cpus": usable_cores(),
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
    """The commit of this code; None where it is not kept in git, or git gives no answer."""
    here = Path(__file__)
    try:
        # Installed in an environment inside somebody's repository, it is no part of that.
        _git("ls-files", "--error-unmatch", here.name, folder=here.parent)
        return _git("describe", "--always", "--dirty", "--abbrev=40", folder=here.parent)
    except (OSError, subprocess.SubprocessError):
        return None


def _git(*arguments: str, folder: Path) -> str:
    own = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    answer = subprocess.run(  # noqa: S603 - our own command
        ["git", *arguments],  # noqa: S607
        cwd=folder,
        env=own,
        capture_output=True,
        text=True,
        check=True,
        timeout=_GIT_SECONDS,
    )
    return answer.stdout.strip()
