"""Escapes text so that Markdown shows it literally, in tables and in notebooks."""

import re

# `:` in emoji (:tada:) and addresses, `@` before people and `$` are special on GitHub only.
_MARKS = re.compile(r"([\\`*_{}\[\]<>|#~&$@^]|:(?=\w+:)|(?<=\w):(?=//))")
_AT_START = re.compile(r"^(\d*)([-+=.)!:])")


def escaped(text: str) -> str:
    """Escape text inside a line; line breaks become spaces, as two would end the paragraph."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def escaped_line(text: str) -> str:
    """Escape text at the start of a line, where lists and headings could begin too."""
    return _AT_START.sub(r"\1\\\2", escaped(text))
