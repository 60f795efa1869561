"""runs/<study>/manifest.json: what a run is, and every start of it.

The same command goes on with the same study; a changed recipe or space is refused.
"""

import importlib.metadata
import json
import os
import platform
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from search.schema.config import Config
from search.schema.yaml import ConfigError

FILE = "manifest.json"
# Of what a study's results depend on. 2: augmentation draws by epoch. 3: networks share seeds.
_VERSION = 3
_PACKAGES = ("torch", "torchvision", "ray", "optuna", "numpy", "pillow", "scikit-learn")

# What may change between starts: more trials and seeds, other confirmations, where it all runs
# and where images are kept, which does not change them.
_FREE = (
    "search.trials",
    "search.seeds",
    "confirm",
    "resources",
    "data.root",
    "data.storage",
    "data.cache",
    "data.damaged",
)
# But not from CPU to GPU: their results are not the same to the last bit.


def going_on(folder: Path, config: Config) -> Config:
    """The config of the study that a folder holds, if it is this one.

    Returns:
        The config, with as many trials and seeds as the study was extended to before.

    Raises:
        ConfigError: the folder holds a different study (with the differences).
    """
    before = _read(folder)
    if not before:
        return config
    if before["version"] != _VERSION:
        raise ConfigError(
            f"{folder}: holds a study of another version of this project (its record is of "
            f"version {before['version']}, this is {_VERSION}), whose trials are not the same; "
            "finish it with that version, or give another folder with --out"
        )
    _compare(folder, _described(before["config"]), _described(config.model_dump(mode="json")))
    had = before["config"]["search"]
    most = {key: max(getattr(config.search, key), had[key]) for key in ("trials", "seeds")}
    search = config.search.model_copy(update=most)
    return config.model_copy(update={"search": search})


def same_images(folder: Path, left_out: Sequence[str]) -> None:
    """See that the trials to come leave out the images that those before did.

    Raises:
        ConfigError: one was mended or damaged since.
    """
    before = _read(folder).get("left_out", [])
    changed = sorted(set(before) ^ set(left_out))
    if changed:
        raise ConfigError(
            f"{folder}: its trials so far saw other images; mended or damaged since: "
            f"{'; '.join(changed[:5])}; put the files back as they were, or give another "
            "folder with --out"
        )


def note(
    folder: Path,
    config: Config,
    *,
    space: Path,
    command: Sequence[str],
    left_out: Sequence[str] = (),
) -> None:
    """Note a start: when, by which command, with which versions, on what.

    Args:
        folder: of the run; the caller holds its lock and has compared.
        config: of the study.
        space: the file it was read from; kept beside the results.
        command: the command line.
        left_out: images that cannot be read.
    """
    manifest = {
        "version": _VERSION,
        "config": config.model_dump(mode="json"),
        "left_out": list(left_out),
        "starts": [*_read(folder).get("starts", []), _start(command)],
    }
    _replace(folder / FILE, json.dumps(manifest, indent=2))
    _replace(folder / "space.yaml", space.read_text(encoding="utf-8"))


def _read(folder: Path) -> dict[str, Any]:
    """The manifest; empty where there is none."""
    path = folder / FILE
    if not path.exists():
        return {}
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(
            f"{path}: is damaged ({error}); restore it from a copy, or delete it if the space "
            "and recipe are as they were"
        ) from error
    return manifest


def _described(config: dict[str, Any]) -> dict[str, Any]:
    """What must not change, with the kind of device apart from how much of it."""
    return config | {"device": "GPU" if config["resources"]["gpu"] else "CPU"}


def _compare(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    old, new = dict(_flat(before)), dict(_flat(now))
    differences = [
        f"  {key}: there {old.get(key, 'not set')!r}, here {new.get(key, 'not set')!r}"
        for key in dict.fromkeys((*old, *new))
        if old.get(key) != new.get(key) and not key.startswith(_FREE)
    ]
    if differences:
        raise ConfigError(
            f"{folder}: holds a different study; give another folder with --out, or take "
            "back the difference:",
            *differences,
        )


def _flat(data: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _flat(value, f"{prefix}.{key}" if prefix else key)
    else:
        yield prefix, data


def _start(command: Sequence[str]) -> dict[str, Any]:
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": list(command),
        "git_commit": _git_commit(),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "machine": platform.machine(),
        "processor": _processor(),
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


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _replace(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
