r"""Convert file names to text and back, independently of the locale. No torch here.

Linux file names are bytes. Python decodes them in the encoding of the locale, so the same file
has a different name under LC_ALL=C, and a text such as "café" may name no file at all. Here
text is UTF-8 everywhere; bytes that are not UTF-8 become Python's surrogates ("caf\udce9", see
PEP 383), so that every name survives the round trip.
"""

import argparse
import os
import re
import sys
from pathlib import Path
from typing import Any


def text_of(name: str | os.PathLike[str]) -> str:
    """Convert a name that Python gave: from the command line, a folder listing or a path."""
    given = os.fspath(name)
    if sys.getfilesystemencoding() == "utf-8":
        return given
    return os.fsencode(given).decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """Encode text as the bytes of a file name; digests of names are computed from them."""
    return text.encode("utf-8", "surrogateescape")


def fs_name(text: str) -> str:
    """Convert text to the name that Python uses for files here: the inverse of `text_of`."""
    if sys.getfilesystemencoding() == "utf-8":
        return text
    return os.fsdecode(bytes_of(text))


def path_of(text: str) -> Path:
    """Give the path that a text names, such as one in a space file.

    `~` is the home folder, and `$NAME` or `${NAME}` an environment variable, unless a file or
    folder has literally that name.
    """
    written = fs_name(text)
    if os.path.lexists(written):
        return Path(written)
    try:
        return Path(os.path.expandvars(written)).expanduser()
    except RuntimeError:  # no such user, or no home folder
        return Path(written)


def unset_in(path: Path) -> str:
    """The first environment variable in a path that has no value here; empty if all have one.

    Such a path would be a folder with a literal dollar sign in its name; a path that exists
    already may have one.
    """
    names = re.findall(r"\$\{?(\w+)", str(path))
    return next((one for one in names if one not in os.environ and not path.exists()), "")


def path_argument(text: str) -> Path:
    """Give the path that an option of a command names, as `path_of` does.

    Raises:
        argparse.ArgumentTypeError: the text is empty, as of a shell variable without a value.
    """
    return path_of(place_argument(text))


def place_argument(text: str) -> str:
    """Give the text of an option that names a path, or a thing by another name.

    Raises:
        argparse.ArgumentTypeError: the text is empty, as of a shell variable without a value.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError(
            "is empty; give a path (a shell variable without a value?)"
        )
    return text


def printable(text: str) -> str:
    r"""Make text valid UTF-8 for every reader: a byte that is not text is written as `\xe9`.

    Bytes that together form UTF-8, as in a name read under plain `LC_ALL=C`, become characters.
    """
    if text.isascii():
        return text
    try:
        known = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that do not represent a byte
        known = text.encode("utf-8", "backslashreplace")
    return known.decode("utf-8", "backslashreplace")


def printable_data(data: Any) -> Any:
    """Make all text in plain data, as parsed from JSON, printable."""
    if isinstance(data, dict):
        return {printable_data(key): printable_data(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [printable_data(value) for value in data]
    return printable(data) if isinstance(data, str) else data
