"""Finds where in a space file a schema error belongs, by the keys of the file.

Pydantic puts the names of a union's members between the keys, and reports each member's error.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from search.schema.yaml import Location

_NEW_KEYS = ("missing", "extra_forbidden")  # whose last key the file, or a schema, lacks


class Fault(NamedTuple):
    """What is wrong at one place: one error, or one for each member of a union."""

    location: Location
    details: tuple[ErrorDetails, ...]


def faults(details: Sequence[ErrorDetails], data: Mapping[str, Any]) -> list[Fault]:
    """The errors of a validation, with those of one union grouped, in the file's order.

    Args:
        details: error details as pydantic gives them.
        data: the data that was validated.
    """
    found: dict[Location, list[tuple[Location, ErrorDetails]]] = {}
    for number, detail in enumerate(details):
        location, union = _as_written(detail, data)
        if detail["type"] == "missing" and isinstance(location[-1], int):
            location = location[:-1]  # a short list is reported once per missing item
            if found.get((*location, "short")):
                continue
            found[*location, "short"] = [(location, detail)]
            continue
        # An error outside unions gets a key that no union can have.
        group = (*union, "union") if union is not None else (*location, str(number))
        found.setdefault(group, []).append((location, detail))
    return [_joined(members) for members in found.values()]


def _joined(members: list[tuple[Location, ErrorDetails]]) -> Fault:
    """Of a union's errors, those at the deepest place: the value was meant for that member."""
    deepest = max(len(location) for location, _ in members)
    chosen = [(where, detail) for where, detail in members if len(where) == deepest]
    location = chosen[0][0]
    return Fault(location, tuple(detail for where, detail in chosen if where == location))


def _as_written(
    detail: ErrorDetails, data: Mapping[str, Any]
) -> tuple[Location, Location | None]:
    """The keys of an error's place, and those of its union, None if it is in none."""
    location: list[str | int] = []
    union: Location | None = None
    here: Any = data
    last = len(detail["loc"]) - 1
    for number, part in enumerate(detail["loc"]):
        new = number == last and detail["type"] in _NEW_KEYS
        if isinstance(part, str) and not new and not _has(here, part):  # a union member's name
            union = tuple(location) if union is None else union
            continue
        location.append(part)
        here = _inside(here, part)
    return tuple(location), union


def _has(here: Any, key: str) -> bool:
    """Whether a section has a key; a chosen part may have its keys under `options`."""
    return isinstance(here, dict) and (key in here or key in (here.get("options") or ()))


def _inside(here: Any, part: str | int) -> Any:
    if isinstance(here, dict):
        return here.get(part)
    inside = isinstance(part, int) and isinstance(here, (list, tuple)) and part < len(here)
    return here[part] if inside else None


def sections(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Each key of a schema, with the dotted name of its section."""
    for key, field in model.model_fields.items():
        yield field.alias or key, prefix
        inner = section_of(field.annotation)
        if inner is not None:
            yield from sections(inner, f"{prefix}.{key}" if prefix else key)


def section_of(annotation: Any) -> type[BaseModel] | None:
    """The section that a field holds, also if it is optional; None where it holds none."""
    kinds = (annotation, *getattr(annotation, "__args__", ()))
    return next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), None)
