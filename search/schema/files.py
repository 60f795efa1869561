"""Writes files atomically: whole or not at all; says in words what a file's error means."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from res2net.file_names import printable
from search.schema.remote import File, RemoteFile


def replacing(path: File, *, before: File | None = None) -> AbstractContextManager[IO[bytes]]:
    """A file beside its place, which takes it once it is whole and on the disk.

    Args:
        path: where it will stand; its folder is there.
        before: where the file that stands there now goes; None gives it up. It is of the same
            kind.
    """
    if isinstance(path, RemoteFile):
        assert before is None or isinstance(before, RemoteFile), "of the same kind"
        return path.replacing(before=before)
    assert before is None or isinstance(before, Path), "of the same kind"
    return _replacing(path, before)


@contextmanager
def _replacing(path: Path, before: Path | None) -> Iterator[IO[bytes]]:
    # Processes on several machines may share a folder, and their numbers.
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if before is not None and path.exists():
            path.replace(before)
        part.replace(path)
        _sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Put the names in a folder on the disk: without, a power cut may take a new one back."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_text(path: File, text: str) -> None:
    r"""Write a text file as UTF-8, whole or not at all.

    A byte of a file's name that is no text stands in it as `\xe9`, so that every reader can.
    """
    with replacing(path) as file:
        file.write(printable(text).encode())


# What to do about it; of any other error nobody here knows.
_REMEDIES = {
    errno.ENOSPC: "make room on that disk",
    errno.EDQUOT: "make room in your quota of that disk",
    errno.EACCES: "give yourself the right to it, or name another place",
    errno.EPERM: "give yourself the right to it, or name another place",
    errno.EROFS: "name a place on a disk that can be written",
    errno.ENOENT: "see whether it was moved or deleted",
    errno.ENOTDIR: "a part of that path is a file; name another place",
    errno.EISDIR: "a folder stands where a file should; move it away, or name another place",
    errno.EEXIST: "a file stands where a folder should; move it away, or name another place",
    errno.ENAMETOOLONG: "name a shorter path",
    errno.EMFILE: "allow more open files (ulimit -n)",
}


def in_words(error: OSError) -> str:
    """What failed, where and why; what to do about it, where that is known."""
    remedy = _REMEDIES.get(error.errno or 0, "")
    names = [os.fsdecode(name) for name in (error.filename, error.filename2) if name]
    reason = error.strerror or str(error) or type(error).__name__
    return ": ".join([*names, reason]) + (f"; {remedy}" if remedy else "")
