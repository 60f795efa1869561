"""The code of docs/adding_a_part.md, as files, and the lines of a space file that use it."""

import re
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

GUIDE = Path(__file__).parents[2] / "docs" / "adding_a_part.md"
TINY = Path(__file__).parents[1] / "search" / "tiny.yaml"
_FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"# (\S+\.(?:py|yaml))\n")


class Example(NamedTuple):
    """A part: the file that holds it, and a whole space that uses it."""

    file: str
    space: dict[str, Any]


def blocks(text: str) -> list[tuple[str, str]]:
    """The fenced code of a document: (language, code)."""
    return [(match[1], match[2]) for match in _FENCED.finditer(text)]


def write_examples(folder: Path) -> None:
    """Write every example's file into a folder."""
    for _, code in blocks(GUIDE.read_text(encoding="utf-8")):
        if named := _FILE.match(code):
            (folder / named[1]).write_text(code, encoding="utf-8")


def examples() -> list[Example]:
    """Every part of the guide, with the small space of the tests changed to use it.

    Two networks are enough, where an example does not say how many. The lines of a space file
    stand after the file that they use; they replace keys of
    sections that take no part, and whole sections that name one.
    """
    found = []
    file = ""
    for language, code in blocks(GUIDE.read_text(encoding="utf-8")):
        if named := _FILE.match(code):
            file = named[1]
        elif language == "yaml":
            found.append(Example(file, _laid_over_tiny(code)))
    return found


def _laid_over_tiny(lines: str) -> dict[str, Any]:
    yaml = YAML(typ="safe", pure=True)
    space: dict[str, Any] = yaml.load(TINY.read_text(encoding="utf-8"))
    space["search"]["trials"] = 2
    for section, keys in yaml.load(lines).items():
        if section in ("training", "network"):  # they are written whole
            space[section] = keys
        else:
            space[section] = space.get(section, {}) | keys
    return space
