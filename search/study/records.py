"""Reads the records of the journal from lines of JSON, and checks the type of every value."""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from operator import attrgetter
from typing import Any, Literal, get_args, get_origin, get_type_hints

from res2net.plugins import split_plugin
from search.schema.seals import SEAL, decoded
from search.study.events import Record, Started

_NUMBER = frozenset({int, float})  # a whole number is written without a decimal point
_PLAIN: dict[Any, frozenset[type]] = {
    int: frozenset({int}),
    float: _NUMBER,
    str: frozenset({str}),
    type(None): frozenset({type(None)}),
}


def reader_of(kind: Any) -> Callable[[dict[str, Any]], Any]:
    """Make the function that reads records of a kind.

    Args:
        kind: a class of `search.study.events`, which declares the types.

    Returns:
        A function of the fields of a record, without its event. It raises ValueError, in words,
        where a field is missing or of another type, or where a start does not describe a
        network.
    """
    check = _checker(kind)
    names = {each.name for each in fields(kind)}

    def read(data: dict[str, Any]) -> Any:
        try:  # other keys: an earlier or a later version wrote it
            record = kind(**data) if data.keys() == names else kind.from_json(data)
        except TypeError as error:  # raised by the constructor: a field is missing
            raise ValueError(_lacking(names, data) or str(error)) from error
        check(record)
        return record

    return read


def _lacking(names: set[str], data: Mapping[str, Any]) -> str:
    missing = sorted(names - data.keys())
    return f"it has no {' and no '.join(missing)}" if missing else ""


def _checker(kind: Any) -> Callable[[Any], None]:
    """A function that checks a whole record; types that were valid once are not rechecked."""
    hints = get_type_hints(kind)
    names = [each.name for each in fields(kind)]
    values_of = attrgetter(*names)
    allowed = [_types(hints[name]) for name in names]
    inside = [(name, look) for name in names if (look := _inside(hints[name])) is not None]
    sound: set[tuple[type, ...]] = set()

    def check(record: Any) -> None:
        types = tuple(map(type, values_of(record)))
        if types not in sound:
            for name, given, known in zip(names, types, allowed, strict=True):
                if given not in known:
                    raise ValueError(f"{name} is {getattr(record, name)!r}")
            sound.add(types)
        for name, look in inside:
            look(name, getattr(record, name))
        if kind is Started:
            _check_network(record)
            if not re.fullmatch(r"[\w.+-]+", record.name) or record.name.startswith("."):
                raise ValueError(f"name is {record.name!r}, which is no network's")

    return check


def _types(hint: Any) -> frozenset[type]:
    """The classes that a value may have."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if get_origin(hint) is Literal:
        return frozenset(map(type, get_args(hint)))
    if get_origin(hint) is dict:
        return frozenset({dict})
    if get_args(hint):  # X | None
        return frozenset().union(*map(_types, get_args(hint)))
    return frozenset({hint})


def _inside(hint: Any) -> Callable[[str, Any], None] | None:
    """A function that checks the elements of a value, for container types."""
    if hint == dict[str, float]:
        return _check_numbers
    if get_origin(hint) is Literal:
        return _one_of(get_args(hint))
    nested = [each for each in get_args(hint) if is_dataclass(each)]
    return _nested(nested[0]) if nested else None


def _check_numbers(name: str, values: dict[str, Any]) -> None:
    if not _NUMBER.issuperset(map(type, values.values())):
        odd = next(key for key, value in values.items() if type(value) not in _NUMBER)
        raise ValueError(f"{odd} of its {name} is {values[odd]!r}")


def _one_of(words: tuple[Any, ...]) -> Callable[[str, Any], None]:
    def look(name: str, value: Any) -> None:
        if value not in words:
            raise ValueError(f"{name} is {value!r}")

    return look


def _nested(kind: Any) -> Callable[[str, Any], None]:
    check = _checker(kind)

    def look(name: str, value: Any) -> None:
        if value is not None:
            try:
                check(value)
            except ValueError as error:
                raise ValueError(f"in {name}, {error}") from error

    return look


def _check_network(started: Started) -> None:
    """Check that a start describes a network; a foreign skeleton may no longer exist."""
    skeleton = started.architecture.get("skeleton")
    if isinstance(skeleton, str) and split_plugin(skeleton):
        return
    try:
        started.network()
    except Exception as error:
        raise ValueError(f"its architecture is none: {error}") from error


_READERS: dict[str, Callable[[dict[str, Any]], Record]] = {
    kind.event: reader_of(kind) for kind in get_args(Record)
}
_SCORED = frozenset(kind.event for kind in get_args(Record) if "metrics" in kind.__slots__)


def record_of(line: bytes) -> Record:
    """The record in a line of the journal, of any version.

    Raises:
        ValueError: the line holds none; the message says why.
    """
    data = decoded(line)
    event = data.pop("event", None) if isinstance(data, dict) else None
    reader = _READERS.get(event) if isinstance(event, str) else None
    if reader is None:
        raise ValueError(f"its event is {event!r}")
    if data.pop(SEAL, None) and event in _SCORED and "metrics" not in data:
        raise ValueError("it has no metrics")  # in version 1 each metric was its own key
    return reader(data)
