"""The official files of a data set: there and undamaged, or downloaded."""

import contextlib
import fcntl
import hashlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from res2net.plugins import import_attribute
from search.schema.datasets import DATASETS
from search.schema.yaml import ConfigError

_DOWNLOAD_TIMEOUT = 20.0  # seconds without a byte before a download counts as failed


def require(name: str, root: Path, *, place: str) -> None:
    """Make sure that a data set is on disk and undamaged; download it if it is missing.

    Args:
        name: key of DATASETS.
        root: the folder that holds the official folder.
        place: place of the setting, for messages.

    Raises:
        ConfigError: missing and not downloadable (where it looked, how to get it), or damaged
            (which file, which md5).
    """
    facts = DATASETS[name]
    folder = root / facts.folder
    missing = [file for file in facts.md5 if not (folder / file).is_file()]
    if missing:
        _download(name, root, place=place)
    for file, expected in facts.md5.items():
        actual = _md5(folder / file)
        if actual != expected:
            raise ConfigError(
                f"{place}: {folder / file} is damaged: its md5 is {actual}, the official "
                f"file's is {expected}; delete it and start again, or copy a good one there"
            )


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


@contextlib.contextmanager
def _alone_in(root: Path) -> Iterator[None]:
    """Wait until no other start downloads into a folder, and keep others waiting meanwhile."""
    folder = os.open(root, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems lock no folder
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)  # unlocks


def _download(name: str, root: Path, *, place: str) -> None:
    fetch = import_attribute(DATASETS[name].download)
    folder = root / DATASETS[name].folder
    made = [each for each in (root, *root.parents) if not each.exists()]
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_DOWNLOAD_TIMEOUT)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _alone_in(root):
            fetch(root, download=True)  # not again what another start has downloaded meanwhile
    except (OSError, RuntimeError) as error:
        with contextlib.suppress(OSError):  # empty folders that the download created
            for each in made:
                each.rmdir()
        raise ConfigError(
            f"{place}: {name} is not there: looked in {folder.resolve()}, and the download "
            f"failed ({error}); put the official python version's files there, or set "
            "data.root to the folder that holds them"
        ) from error
    finally:
        socket.setdefaulttimeout(before)
