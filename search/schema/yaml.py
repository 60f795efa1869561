"""Reads a YAML file as plain data that remembers the line of each value."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from res2net.file_names import text_of
from search.schema.files import in_words
from search.schema.parsing import UnreadableError, parse, plain

Location = tuple[str | int, ...]
_SHOWN = 200  # letters of a --set in a message
_MARKS = ("'", '"', "|", ">", "&", "!", "*")  # start of a text in one of YAML's other notations
# Bytes of a name that are not text are surrogates, which YAML refuses: for parsing, they are
# moved to the last private plane.
_ASIDE = 0x10F000 - 0xDC00
_NO_TEXT, _PUT_ASIDE = re.compile("[\udc80-\udcff]"), re.compile("[\U0010f080-\U0010f0ff]")


# Parts of a URI that may be a password or a key: what stands before an @, and some values.
_USER = re.compile(r"(?<=://)\S+(?=@)")
_VALUE = re.compile(r"([?&][\w-]*(?:token|secret|key)=)[^&\s]+", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """Hide what may be a password or a key in a URI: logs of clusters keep messages."""
    return _VALUE.sub(r"\1***", _USER.sub("***", text)) if "://" in text else text


class ConfigError(ValueError):
    """Bad input; each problem gives file, line, value, rule and remedy."""

    def __init__(self, *problems: str) -> None:
        super().__init__(without_secrets("\n".join(problems)))


class Document(NamedTuple):
    """A space file with the `--set` values merged over it, and its original text."""

    path: Path
    data: dict[str, Any]
    nodes: CommentedMap
    overrides: dict[Location, str]
    text: str
    recipe: str = ""  # the recipe under its training section
    inherited: Mapping[str, str] = {}  # training keys from the recipe, and their places
    options: Mapping[Location, str] | None = None  # command-line options, if there is no file

    def place(self, location: Location) -> str:
        """`file:line` of a value, or the `--set` that gave it."""
        if given := self._override_of(location):
            return f"--set {given}"
        if self.options is not None:
            given_by = (self.options.get(location[:n]) for n in range(len(location), 0, -1))
            return next(filter(None, given_by), str(self.path))
        if location[:1] == ("training",) and location[1:2] and location[1] in self.inherited:
            return self.inherited[str(location[1])]
        return f"{self.path}:{line_of(self.nodes, location)}"

    def _override_of(self, location: Location) -> str:
        """The `--set` that gave a value, its section, or its contents; empty if none did."""
        for given, text in self.overrides.items():
            if given[: len(location)] == location or location[: len(given)] == given:
                return text
        # A key may be missing in a section that only a --set made.
        made = (location[:n] for n in range(1, len(location)))
        section = next((one for one in made if not _holds(self.nodes, one)), location)
        into = (text for given, text in self.overrides.items() if _within(given, section))
        return next(into, "")


def read(path: Path, overrides: Sequence[str] = ()) -> Document:
    """Read a space file.

    Args:
        path: the YAML file.
        overrides: `key.subkey=value` texts; the value is read as YAML.

    Raises:
        ConfigError: no such file, not YAML, a repeated key, or a malformed override.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); the spaces that come with the "
            "project are in spaces/"
        ) from error
    except OSError as error:
        raise ConfigError(in_words(error)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text ({error}); save it as UTF-8") from error
    return read_text(text, path, overrides)


def read_text(text: str, path: Path, overrides: Sequence[str] = ()) -> Document:
    """Read the text of a space file, as `read` does.

    Args:
        text: YAML.
        path: what to call it in messages.
        overrides: `key.subkey=value` texts; the value is read as YAML.
    """
    try:
        nodes = parse(text)
    except UnreadableError as error:
        raise ConfigError(error.at(str(path))) from error
    if not isinstance(nodes, CommentedMap):
        raise ConfigError(f"{path}:1: is not a mapping; write `study: name` and the sections")
    data = plain(nodes)
    given = {}
    for override in overrides:
        given[_override(data, override)] = override
    return Document(path, data, nodes, given, text)


def _override(data: dict[str, Any], text: str) -> Location:
    name, equals, value = text_of(text).partition("=")
    location = tuple(name.strip().split("."))
    if not equals or not all(location):
        raise ConfigError(
            f"--set {text}: is not key=value; write, for example, search.trials=20"
        )
    target = data
    for depth, key in enumerate(location[:-1], 1):
        inner = target.setdefault(key, {})
        if not isinstance(inner, dict):
            whole = ".".join(location[:depth])
            raise ConfigError(
                f"--set {text}: {whole} is not a section but {inner!r}; set it as a whole: "
                f"--set {whole}=..."
            )
        target = inner
    try:
        target[location[-1]] = _value(value)
    except UnreadableError as error:
        raise ConfigError(f"--set {text[:_SHOWN]}: {error.problem}") from error
    return location


def _value(text: str) -> Any:
    """The value of a --set: YAML, except that a name without quotes is taken to its end.

    YAML would read " #" in it as a comment, and would refuse bytes that are not text.
    """
    shown = _NO_TEXT.sub(lambda byte: chr(ord(byte[0]) + _ASIDE), text)
    value = plain(parse(shown))
    if isinstance(value, str) and shown.lstrip()[:1] not in _MARKS:
        value = shown.strip()
    return _restored(value) if shown != text else value


def _restored(value: Any) -> Any:
    """Restore bytes that are not text, wherever they are."""
    if isinstance(value, dict):
        return {key: _restored(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return tuple(_restored(one) for one in value)
    if isinstance(value, str):
        return _PUT_ASIDE.sub(lambda byte: chr(ord(byte[0]) - _ASIDE), value)
    return value


def _within(location: Location, section: Location) -> bool:
    """Whether a location lies in a section."""
    return len(location) > len(section) and location[: len(section)] == section


def _holds(node: Any, location: Location) -> bool:
    """Whether the file has a value at a location."""
    for key in location:
        if not isinstance(node, CommentedMap) or key not in node:
            return False
        node = node[key]
    return True


def line_of(node: Any, location: Location) -> int:
    """Line of the deepest part of `location` that the file holds, counted from 1."""
    line = node.lc.line
    for key in location:
        if isinstance(node, CommentedMap) and key in (node.lc.data or {}):
            line = node.lc.key(key)[0]  # a key that a merge brought in has no line
        elif isinstance(node, CommentedSeq) and isinstance(key, int) and key < len(node):
            line = node.lc.item(key)[0]
        else:
            break
        node = node[key]
    return int(line) + 1
