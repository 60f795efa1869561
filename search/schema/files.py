"""Writes files atomically: whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from res2net.file_names import printable


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file beside its place, which takes it once it is whole and on the disk.

    Args:
        path: where it will stand; its folder is there.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def replace_text(path: Path, text: str) -> None:
    r"""Write a text file as UTF-8, whole or not at all.

    A byte of a file's name that is no text stands in it as `\xe9`, so that every reader can.
    """
    with replacing(path) as file:
        file.write(printable(text).encode())
