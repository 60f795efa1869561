"""Turn names of files into text that every file can hold, and text into names. No torch here.

Python hands a name that is no text in this locale over with lone surrogates in it, which no
encoding can write down.
"""

import os
from typing import Any


def readable(value: Any) -> Any:
    """Give a text, or the texts in lists and mappings, without lone surrogates.

    A byte sequence that is UTF-8 becomes its characters; other bytes are written as escapes.
    """
    if isinstance(value, dict):
        return {readable(key): readable(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [readable(each) for each in value]
    return _readable(value) if isinstance(value, str) and not value.isascii() else value


def _readable(text: str) -> str:
    try:
        known = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        known = text.encode("utf-8", "backslashreplace")
    return known.decode("utf-8", "backslashreplace")


def as_system_name(text: str) -> str:
    """Give a text such that files of this name are found in any locale.

    Where names are ASCII, as in a bare `LC_ALL=C`, the system calls take other characters only
    as the bytes of UTF-8.
    """
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return os.fsdecode(text.encode("utf-8", "surrogatepass"))
    return text
