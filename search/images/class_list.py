"""Reads which classes the user wants: names, or a list file with one name per line.

A name is taken as it is written, including spaces; it may differ from the folder's only in how
accents are composed (Unicode's NFC and NFD), which is invisible. In a list file, space around a
name, empty lines and lines that begin with # are ignored, unless a folder has that name; after
a WordNet number (n01440764), its meaning may follow. No torch here.
"""

import codecs
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from res2net.file_names import bytes_of, path_of
from search.schema.yaml import ConfigError

_WORDNET = re.compile(r"(n\d+)\s")
_MARKED = (  # longer marks first, as UTF-16's begins like UTF-32's
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WINDOWS = "cp1252"  # most likely encoding of a list that is not Unicode; extends Latin-1

Place = Callable[[str], str]


class Wanted(NamedTuple):
    """A class that the user wrote, by the name of its folder if it has one.

    `where` is its place, such as "list.txt:3 ", or empty.
    """

    name: str
    where: str = ""


def chosen(
    classes: str | tuple[str, ...], there: Iterable[str] | None, place: Place
) -> list[Wanted]:
    """The classes of a list file or a list of names, at least one and none twice.

    Args:
        classes: path of the file, or the names.
        there: the class folders; None where they cannot be listed.
        place: gives the place of a setting of the data set, for messages.

    Raises:
        ConfigError: the file cannot be read, or there is no class, or one twice.
    """
    wanted = (
        listed(path_of(classes), there, place)
        if isinstance(classes, str)
        else named(classes, there)
    )
    if not wanted:
        who = f"{classes} names" if isinstance(classes, str) else "names"
        raise ConfigError(f"{place('classes')}: {who} no class; name some, or leave it out")
    _check_once(wanted, place)
    return wanted


def named(names: Iterable[str], there: Iterable[str] | None) -> list[Wanted]:
    """The classes of a list of names; a name without a folder is kept as written.

    Args:
        names: names as written.
        there: the class folders; None where they cannot be listed.
    """
    folders = _by_looks(there or ())
    return [Wanted(_folder(name, folders) or name) for name in names]


def listed(path: Path, there: Iterable[str] | None, place: Place) -> list[Wanted]:
    """The classes of a list file; a name without a folder is kept as written.

    Args:
        path: path of the file, in UTF-8, or in UTF-16 or UTF-32 with a byte order mark. If it
            is none of these, a line may name a folder by its raw bytes, or in Windows'
            encoding.
        there: the class folders; None where they cannot be listed, so that any line may name
            one.
        place: gives the place of a setting of the data set, for messages.

    Raises:
        ConfigError: the file cannot be read.
    """
    folders = _by_looks(there or ())
    try:
        wanted = list(_wanted(_lines(_text(path.read_bytes())), folders, path))
        if there is not None:
            for one in (one for one in wanted if one.name not in folders):
                one.name.encode()  # fails for bytes that are no text and no folder's name
    except (OSError, UnicodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError(
            f"{place('classes')}: {path.absolute()} cannot be read ({said}); give a file with "
            "one class name per line, a number of classes, or a list of names"
        ) from error
    return wanted


def _check_once(wanted: Sequence[Wanted], place: Place) -> None:
    seen: dict[str, Wanted] = {}
    for one in wanted:
        first = seen.setdefault(one.name, one)
        if first is not one:
            before = f" (first at {first.where.strip()})" if first.where else ""
            raise ConfigError(
                f"{place('classes')}: {one.where}{one.name!r} is listed twice{before}; remove "
                "one"
            )


def _text(content: bytes) -> str:
    for mark, encoding in _MARKED:
        if content.startswith(mark):
            return content.removeprefix(mark).decode(encoding)
    return content.decode("utf-8", "surrogateescape")


def _lines(text: str) -> list[str]:
    """The lines of a text; `splitlines` would also split at characters of names."""
    whole = text.replace("\r\n", "\n")
    return (whole if "\n" in whole else whole.replace("\r", "\n")).split("\n")


def _wanted(lines: Iterable[str], folders: Mapping[str, str], path: Path) -> Iterator[Wanted]:
    for number, line in enumerate(lines, 1):
        where, bare = f"{path}:{number} ", line.strip()
        name = _folder(line, folders) or _folder(bare, folders)
        numbered = _WORDNET.match(bare)
        if name:
            yield Wanted(name, where)
        elif numbered:
            yield Wanted(numbered[1], where)
        elif bare and not bare.startswith("#"):
            yield Wanted(bare, where)


def _by_looks(there: Iterable[str]) -> dict[str, str]:
    """Folders by their names, and by their names with composed accents."""
    names = list(there)
    return {unicodedata.normalize("NFC", name): name for name in names} | {n: n for n in names}


def _folder(text: str, folders: Mapping[str, str]) -> str | None:
    """The folder that a text names, if there is one."""
    forms = [text, unicodedata.normalize("NFC", text)]
    if any("\ud800" <= letter <= "\udfff" for letter in text):  # not valid UTF-8
        forms.append(bytes_of(text).decode(_WINDOWS, "replace"))
    return next((folders[form] for form in forms if form in folders), None)
