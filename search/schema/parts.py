"""Parts that people add: one table for each kind, and how foreign parts are imported.

An entry of a table gives a part's name, the keys it takes, its traits (how it behaves) and
where its code is, as `module:attribute`, so that a table imports no parts. Wherever a space
file names an entry it may also name `package.module:attribute` or `path/to/file.py:attribute`.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from pydantic import Field, ValidationInfo

from res2net.plugins import PluginError, import_attribute, load_plugin, split_plugin
from search.schema.section import Section

# Context for validating again what was validated before, such as a manifest: foreign parts
# are not imported, because a mere reader need not have them.
TRUSTED = {"parts": "trusted"}


def is_trusted(info: ValidationInfo) -> bool:
    """Whether a validation accepts foreign parts without importing them."""
    return info.context is TRUSTED


class NoOptions(Section):
    """The keys of a part that takes none."""


class Entry(Protocol):
    """What every table gives for a part."""

    @property
    def maker(self) -> str:
        """`module:attribute` of its code."""

    @property
    def summary(self) -> str:
        """What it does, in a line."""

    @property
    def options(self) -> type[Section] | None:
        """The schema of the keys that it takes; None accepts any, as a foreign part may."""


Facts = TypeVar("Facts", bound=Entry)


@dataclass(frozen=True)
class Table(Generic[Facts]):
    """All parts of one kind, by name.

    Args:
        kind: what they are called, such as "sampler".
        ours: those of this project.
        read: makes the facts of a foreign part from its name and what was imported; raises
            PluginError where the part lacks something.
    """

    kind: str
    ours: Mapping[str, Facts]
    read: Callable[[str, Any], Facts]

    def __iter__(self) -> Iterator[str]:
        return iter(self.ours)

    def __getitem__(self, name: str) -> Facts:
        """The facts of a part.

        Raises:
            PluginError: there is none of this name, or a foreign one cannot be imported.
        """
        if name in self.ours:
            return self.ours[name]
        if split_plugin(name):
            try:
                return self.read(name, import_attribute(name))
            except PluginError as error:  # the message gives the name where it is written
                reason = str(error).removeprefix(f"{name}: ")
                raise PluginError(f"cannot be used: {reason}") from error
            except Exception as error:
                raise PluginError(f"cannot be used ({_words(error)})") from error
        near = difflib.get_close_matches(name, self.ours, n=1, cutoff=0.6)
        mean = f"did you mean {near[0]!r}? " if near else ""
        raise PluginError(
            f"is not a known {self.kind}; {mean}write {' or '.join(self.ours)}, or "
            "package.module:attribute or path/to/file.py:attribute of your own"
        )

    def checked(self, value: Any, info: ValidationInfo) -> str:
        """A name that is in the table, from a value of a space file.

        Raises:
            ValueError: it is not.
        """
        if not isinstance(value, str):
            raise ValueError(f"is not a known {self.kind}; write {' or '.join(self.ours)}")
        if not is_trusted(info):
            self[value]
        return value

    def make(self, name: str) -> Any:
        """Import the code of a part."""
        return import_attribute(self[name].maker)


class Choice(Section):
    """A part that a space file chose, with its options."""

    name: str
    options: dict[str, Any] = Field(default_factory=dict)


def choice_from(table: "Table[Any]") -> Callable[[Any, ValidationInfo], Choice]:
    """Read `name`, or `{name: name, key: value}`, into a `Choice` of a table.

    Raises:
        ValueError: no such part, or keys that it does not take (a ValidationError).
    """

    def read(value: Any, info: ValidationInfo) -> Choice:
        if isinstance(value, Choice):
            return value
        written = {"name": value} if isinstance(value, str) else value
        if isinstance(written, dict) and written and "name" not in written:
            raise ValueError(
                f"has keys but no name; add it: {{name: {' or '.join(table)}, "
                f"{', '.join(f'{key}: ...' for key in written)}}}"
            )
        if not isinstance(written, dict) or not isinstance(written.get("name"), str):
            raise ValueError(
                f"is not a known {table.kind}; write {' or '.join(table)}, or {{name: "
                f"{next(iter(table))}, ...}}"
            )
        options = {key: given for key, given in written.items() if key != "name"}
        if options.keys() == {"options"} and isinstance(options["options"], dict):
            options = options["options"]  # as a plan writes it
        if is_trusted(info) and written["name"] not in table.ours:
            return Choice(name=written["name"], options=options)
        try:
            schema = table[written["name"]].options
        except PluginError as error:
            shown = "" if isinstance(value, str) else f"{written['name']!r} "
            raise ValueError(f"{shown}{error}") from error
        taken = options if schema is None else schema.model_validate(options).model_dump()
        return Choice(name=written["name"], options=taken)

    return read


class Origin(NamedTuple):
    """Where a foreign part of a study came from, as a manifest records it."""

    key: str  # where the space file names it
    name: str
    source: str | None  # path of its file
    version: str | None
    digest: str | None


def origin_of(key: str, name: str) -> Origin:
    """Look up where a foreign part was imported from."""
    plugin = load_plugin(name)
    source = None if plugin.source is None else str(plugin.source)
    return Origin(key, name, source, plugin.version, plugin.digest)


def require_methods(name: str, value: Any, *needed: str) -> None:
    """Make sure that a foreign part has the methods that its kind needs.

    Raises:
        PluginError: it lacks one, which is named.
    """
    missing = [each for each in needed if not hasattr(value, each)]
    if missing:
        raise PluginError(f"{name}: has no {' and no '.join(missing)}; add what is missing")


def traits_of(name: str, value: Any, known: Mapping[str, str]) -> frozenset[str]:
    """The traits that a foreign part declares; none where it declares nothing.

    Raises:
        PluginError: an unknown trait.
    """
    written = getattr(value, "traits", ())
    if not isinstance(written, (set, frozenset, tuple, list)):
        raise PluginError(f"{name}: its traits are {written!r}; write a set of words")
    traits = frozenset(written)
    unknown = sorted(traits - known.keys())
    if unknown:
        raise PluginError(
            f"{name}: its traits contain {unknown[0]!r}; write any of {', '.join(known)}"
        )
    return traits


def made(name: str, make: Callable[[], Any], given: str) -> Any:
    """Make a part; an error of a foreign part is reported as its own.

    Args:
        name: name of the part.
        make: makes it.
        given: what it is given, for the message.

    Raises:
        PluginError: it cannot be made.
    """
    try:
        return make()
    except Exception as error:
        if not split_plugin(name):
            raise
        raise PluginError(
            f"{name}: cannot be made ({_words(error)}); it is given {given}"
        ) from error


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


class Guarded:
    """A foreign part whose errors are reported as its own.

    Args:
        name: name of the part.
        part: whose methods are called.
        expected: exceptions that belong to its protocol.
    """

    def __init__(
        self, name: str, part: Any, expected: tuple[type[Exception], ...] = ()
    ) -> None:
        self._name, self._part, self._expected = name, part, expected

    def __getattr__(self, method: str) -> Callable[..., Any]:
        call = getattr(self._part, method)

        def guarded(*args: Any, **keys: Any) -> Any:
            try:
                return call(*args, **keys)
            except self._expected:
                raise
            except Exception as error:
                raise PluginError(
                    f"{self._name}: failed in {method} ({_words(error)}); what had finished "
                    "is kept: correct it, and start another study with --out"
                ) from error

        return guarded
