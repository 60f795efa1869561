"""Writes files atomically, whole or not at all; explains file errors in words."""

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
    """A temporary file that replaces `path` once it is complete and on the disk.

    Args:
        path: path of the final file; its folder exists.
        before: where the file now at `path` is moved; None discards it. Of the same kind as
            `path`.
    """
    if isinstance(path, RemoteFile):
        assert before is None or isinstance(before, RemoteFile), "of the same kind"
        return path.replacing(before=before)
    assert before is None or isinstance(before, Path), "of the same kind"
    return _replacing(path, before)


@contextmanager
def _replacing(path: Path, before: Path | None) -> Iterator[IO[bytes]]:
    # Processes on several machines may share a folder, and have the same process numbers.
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
    except OSError as error:
        if error.errno is not None and error.filename in (None, str(part)):
            error.filename = str(path)  # which its reader knows
        raise
    finally:
        part.unlink(missing_ok=True)


# What a file system answers that syncs no folders.
_NOT_OF_FOLDERS = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF)


def _sync(folder: Path) -> None:
    """Sync a folder's entries to disk: otherwise a power cut may undo a new one.

    Some network file systems cannot do that of a folder; what is in it is there all the same.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NOT_OF_FOLDERS:
            raise
    finally:
        os.close(descriptor)


def replace_text(path: File, text: str) -> None:
    r"""Write a text file as UTF-8, whole or not at all.

    A byte of a file name that is not valid text is written as `\xe9`, so that any reader can.
    """
    with replacing(path) as file:
        file.write(printable(text).encode())


# A disk of these takes nothing more, from no trial.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
# What to do about each error; no advice is known for others.
_REMEDIES = {
    errno.ENOSPC: "make room on that disk",
    errno.EDQUOT: "make room in your quota on that disk",
    errno.EACCES: "get permission for it, or choose another place",
    errno.EPERM: "get permission for it, or choose another place",
    errno.EROFS: "choose a place on a writable disk",
    errno.ENOENT: "check whether it was moved or deleted",
    errno.ENOTDIR: "part of that path is a file; choose another place",
    errno.EISDIR: "a folder is where a file should be; move it away, or choose another place",
    errno.EEXIST: "a file is where a folder should be; move it away, or choose another place",
    errno.ENAMETOOLONG: "choose a shorter path",
    errno.EMFILE: "allow more open files (ulimit -n)",
}


def in_words(error: OSError) -> str:
    """What failed, where and why, and what to do about it, where that is known."""
    remedy = _REMEDIES.get(error.errno or 0, "")
    names = [os.fsdecode(name) for name in (error.filename, error.filename2) if name]
    reason = error.strerror or str(error) or type(error).__name__
    return ": ".join([*names, reason]) + (f"; {remedy}" if remedy else "")
