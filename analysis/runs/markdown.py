"""Writes text so that Markdown shows it as it is, in tables and in the notebooks."""

import re

# `:` of emoji (:tada:) and of addresses, `@` of people and `$` are GitHub's.
_MARKS = re.compile(r"([\\`*_{}\[\]<>|#~&$@^]|:(?=\w+:)|(?<=\w):(?=//))")
_AT_START = re.compile(r"^(\d*)([-+=.)!:])")


def escaped(text: str) -> str:
    """Text inside a line; line breaks, of which two would end it, are spaces."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def escaped_line(text: str) -> str:
    """Text that begins a line, where lists and headings begin too."""
    return _AT_START.sub(r"\1\\\2", escaped(text))
