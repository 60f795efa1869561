"""Explains schema errors in words: place, key, value, rule and remedy."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from search.schema.parts import Table
from search.schema.samplers import SAMPLERS
from search.schema.schedulers import SCHEDULERS
from search.schema.tasks import TASKS
from search.schema.values import MisfitError
from search.schema.yaml import Document, Location

_FLOPS = (
    "one multiply-add is two FLOPs, and the paper's '4.2 G FLOPs' are multiply-adds, so the "
    "number could mean either; write `macs: {{{limits}}}` if it counts multiply-adds, and half "
    "of it if not"
)
_RULES = {
    "int_type": "is not a whole number; write such as 8",
    "float_type": "is not a number; write such as 0.1",
    "bool_type": "is not true or false; write one of them",
    "string_type": "is not a word; put it in quotes",
    "tuple_type": "is not a list; write such as [0.5, 0.75]",
    "model_type": "is not a section; write `key: value` lines below it, or {key: value}",
    "string_pattern_mismatch": "is not a name; write letters, digits, '.', '_' and '-'",
}
_LIMITS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}


def explain(
    error: ValidationError, document: Document, model: type[BaseModel]
) -> Iterable[str]:
    """One line for each mistake in a space file, in the order they stand in it."""
    for detail in error.errors(include_url=False):
        location: Location = tuple(detail["loc"])
        problem = _problem(detail, location, model, document)
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, MisfitError):
            location = tuple(cause.at.split("."))
            detail["input"] = _value(document.data, location)
        shown = "" if _hides_value(detail) else f" {_shown(detail['input'])}"
        dotted = ".".join(map(str, location)) or "the file"
        yield f"{document.place(location)}: {dotted}:{shown} {problem}"


def _problem(
    detail: ErrorDetails, location: Location, model: type[BaseModel], document: Document
) -> str:
    kind = detail["type"]
    listed = next((str(key) for key in reversed(location) if key in _LISTS), None)
    if listed and kind in ("tuple_type", "too_long", "missing"):
        return f"is not a list of that length; write such as {_LISTS[listed]}"
    context = detail.get("ctx", {})
    if kind in _LIMITS:
        word, key = _LIMITS[kind]
        return f"is not {word} {context[key]:g}; write a number that is"
    said = {
        "extra_forbidden": lambda: _unknown(
            location, _schema_at(location[:-1], model, document), detail["input"]
        ),
        "missing": lambda: f"is missing; add it{_example(location)}",
        "value_error": lambda: str(context["error"]),
        "literal_error": lambda: f"is not known; write {context['expected']}",
    }
    otherwise = _RULES.get(kind, f"does not fit: {detail['msg'].lower()}; change it so")
    return said.get(kind, lambda: otherwise)()


def _example(location: Location) -> str:
    """How a required key may look, where there is an example of it."""
    example = _EXAMPLES.get(str(location[-1]), "")
    return f" ({example})" if example else ""


def _schema_at(
    location: Location, model: type[BaseModel], document: Document
) -> type[BaseModel]:
    """The section at a location; of a part that was chosen there, the keys that it takes."""
    table: Table[Any] | None = _TABLES.get(str(location[-1])) if location else None
    chosen = _value(document.data, location)
    if table is None or not isinstance(chosen, dict):
        return _model_at(location, model)
    schema: type[BaseModel] = table[chosen["name"]].options or _model_at(location, model)
    return schema


def _unknown(location: Location, schema: type[BaseModel], value: Any) -> str:
    key = str(location[-1])
    known = schema.model_fields
    if not known:
        return "is not a key; what was chosen here takes none; leave it out"
    if key == "flops" and "macs" in known:
        limits = value.items() if isinstance(value, dict) else [("max", value)]
        written = ", ".join(f"{limit}: {number}" for limit, number in limits)
        return f"is not a key; {_FLOPS.format(limits=written)}"
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    remedy = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
    return f"is not a key; {remedy}"


def _model_at(location: Location, model: type[BaseModel]) -> type[BaseModel]:
    """The section of the schema that a location leads to."""
    for key in location:
        field = model.model_fields.get(str(key))
        if field is None:
            break
        kinds = (field.annotation, *get_args(field.annotation))
        inner = [k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)]
        model = inner[0] if inner else model
    return model


# For each key that the schema requires.
_EXAMPLES = {
    "study": "study: my_study",
    "network": "network: {depth: 29, width: 24, scale: [1, 2, 4]}",
    "width": "width: {from: 4, to: 64}, or fill",
    "data": "data: {name: digits, validation: 240}",
    "name": "name: cifar100",
    "validation": "validation: 5000",
    "training": "training: {epochs: 60}",
    "epochs": "epochs: 60",
    "search": "search: {sampler: tpe, trials: 100}",
    "trials": "trials: 100",
    "top": "top: 3",
    "seeds": "seeds: 5",
}


# The keys of a space file under which a part is chosen.
_TABLES: Mapping[str, "Table[Any]"] = {
    "sampler": SAMPLERS,
    "scheduler": SCHEDULERS,
    "task": TASKS,
}


# For each list of a fixed length.
_LISTS = {
    "jitter": "[0.4, 0.4, 0.4, 0.1]: brightness, contrast, saturation, hue",
    "resized_crop": "[0.08, 1.0]: the range of area",
    "betas": "[0.9, 0.999]",
}


def _hides_value(detail: ErrorDetails) -> bool:
    """A missing key has no value; that of an unknown one, or of a whole section, is noise."""
    return detail["type"] in ("missing", "extra_forbidden") or isinstance(detail["input"], dict)


def _shown(value: Any) -> str:
    return repr(list(value) if isinstance(value, tuple) else value)


def _value(data: Any, location: Location) -> Any:
    for key in location:
        data = data.get(key, {}) if isinstance(data, dict) else {}
    return data
