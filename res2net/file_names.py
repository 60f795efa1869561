r"""Turn names of files into text and back, whatever the locale. No torch here.

Linux names files by bytes. Python reads them in the encoding of the locale, so that the same
file has another name under LC_ALL=C, and a text such as "café" may name no file at all. Here
text is UTF-8 everywhere; bytes that are none stand in it as Python's surrogates ("caf\udce9",
see PEP 383), so that every name comes back as it was.
"""

import os
import sys
from pathlib import Path
from typing import Any


def text_of(name: str | os.PathLike[str]) -> str:
    """Read a name that Python gave: of the command line, of a listed folder, of a path."""
    given = os.fspath(name)
    if sys.getfilesystemencoding() == "utf-8":
        return given
    return os.fsencode(given).decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """Write text as the bytes that name a file; digests of names are made of them."""
    return text.encode("utf-8", "surrogateescape")


def fs_name(text: str) -> str:
    """Write text as Python names files here: the inverse of `text_of`."""
    if sys.getfilesystemencoding() == "utf-8":
        return text
    return os.fsdecode(bytes_of(text))


def path_of(text: str) -> Path:
    """Find the path that a text names, such as one of a space file.

    `~` is the home folder, and `$NAME` or `${NAME}` what the environment has under that name,
    unless there is a file or folder that is called so letter by letter.
    """
    written = fs_name(text)
    if os.path.lexists(written):
        return Path(written)
    try:
        return Path(os.path.expandvars(written)).expanduser()
    except RuntimeError:  # nobody is called so, or has a home
        return Path(written)


def printable(text: str) -> str:
    r"""Write text that every reader of UTF-8 takes: a byte that is no text stands as `\xe9`.

    Bytes that are UTF-8 together, as a name has them in a bare `LC_ALL=C`, become characters.
    """
    if text.isascii():
        return text
    try:
        known = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        known = text.encode("utf-8", "backslashreplace")
    return known.decode("utf-8", "backslashreplace")


def printable_data(data: Any) -> Any:
    """Make all text in plain data, as JSON gives it, printable."""
    if isinstance(data, dict):
        return {printable_data(key): printable_data(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [printable_data(value) for value in data]
    return printable(data) if isinstance(data, str) else data
