"""Explains schema errors in words: place, key, value, rule and remedy."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from search.schema.parts import Table
from search.schema.places import faults, section_of, sections
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
    "int_type": "is not a whole number; write one such as 8",
    "float_type": "is not a number; write one such as 0.1",
    "bool_type": "is not true or false; write one of these",
    "string_pattern_mismatch": "is not a name; write letters, digits, '.', '_' and '-'",
}
# Names for the forms that a value of a union may have, each with an example.
_FORMS = {
    "int_type": ("a whole number", "8"),
    "float_type": ("a number", "0.1"),
    "bool_type": ("true or false", "true"),
    "string_type": ("a word", "'name'"),
    "tuple_type": ("a list", "[2, 4]"),
    "model_type": ("a section", "{key: value}"),
}
_KEYS = 3  # shown for a section that requires none
_COMMON = ("name", "options")  # keys of many sections
_LIMITS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}


def explain(
    error: ValidationError, document: Document, model: type[BaseModel]
) -> Iterable[str]:
    """One line for each mistake in a space file, in the order of the file."""
    for place, details in faults(error.errors(include_url=False), document.data):
        location, detail = place, details[0]
        problem = (
            _problem(detail, location, model, document)
            if len(details) == 1
            else _of_union(details)
        )
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
        return f"is not a list of the right length; write one such as {_LISTS[listed]}"
    context = detail.get("ctx", {})
    if kind in _LIMITS:
        word, key = _LIMITS[kind]
        return f"is not {word} {context[key]:g}; write a number that is"
    said = {
        "model_type": lambda: _no_section(location, model, detail["input"]),
        "tuple_type": lambda: f"is not a list; put it in brackets: [{detail['input']}]",
        "extra_forbidden": lambda: _unknown(
            location, _schema_at(location[:-1], model, document), detail["input"], model
        ),
        "missing": lambda: f"is missing; add it{_example(location)}",
        "value_error": lambda: str(context["error"]),
        "literal_error": lambda: f"is not known; write {context['expected']}",
        "string_type": lambda: f"is not a word; {_quoted(location, detail['input'], document)}",
    }
    otherwise = _RULES.get(
        kind, f"does not fit: {detail['msg'].lower()}; change it accordingly"
    )
    return said.get(kind, lambda: otherwise)()


def _quoted(location: Location, value: Any, document: Document) -> str:
    """How to write a value that looks like a number or a date, but is a word."""
    if location not in document.overrides:
        return "put it in quotes"
    # A shell takes the outer quotes.
    return f"write --set '{'.'.join(map(str, location))}=\"{value}\"'"


def _of_union(details: Sequence[ErrorDetails]) -> str:
    """What is wrong with a value that has none of several allowed forms."""
    words = [
        str(detail["ctx"]["expected"]).replace("'", "")
        for detail in details
        if detail["type"] == "literal_error"
    ]
    beyond = [detail for detail in details if detail["type"] in _LIMITS]
    if beyond:  # the form is right, so the limit is what matters
        word, key = _LIMITS[beyond[0]["type"]]
        limit = f"{word} {beyond[0]['ctx'][key]:g}"
        return f"is not {limit}; write {', or '.join(['a number that is', *words])}"
    forms = [_FORMS[detail["type"]] for detail in details if detail["type"] in _FORMS]
    names = [name for name, _ in forms] + words
    examples = [example for _, example in forms] + words
    return f"is not {' or '.join(names)}; write, for example, {' or '.join(examples)}"


def _no_section(location: Location, model: type[BaseModel], value: Any) -> str:
    """How a section may be written, where a plain value stands."""
    schema = _model_at(location, model)
    fields = {field.alias or key: field for key, field in schema.model_fields.items()}
    keys = [key for key, field in fields.items() if field.is_required()]
    keys = keys or list(fields)[:_KEYS]
    if "max" in schema.model_fields:  # a limit: a single number is taken to be its maximum
        return f"is not a section; write {location[-1]}: {{max: {value}}}"
    name = str(location[-1])
    shown = ", ".join(f"{key}: ..." for key in keys)
    return f"is not a section; write {_EXAMPLES.get(name, f'{name}: {{{shown}}}')}"


def _example(location: Location) -> str:
    """How a required key may be written, where there is an example."""
    example = _EXAMPLES.get(str(location[-1]), "")
    return f" ({example})" if example else ""


def _schema_at(
    location: Location, model: type[BaseModel], document: Document
) -> type[BaseModel]:
    """The section at a location; for a chosen part, the section of the keys that it takes."""
    table: Table[Any] | None = _TABLES.get(str(location[-1])) if location else None
    chosen = _value(document.data, location)
    if table is None or not isinstance(chosen, dict):
        return _model_at(location, model)
    schema: type[BaseModel] = table[chosen["name"]].options or _model_at(location, model)
    return schema


def _unknown(
    location: Location, schema: type[BaseModel], value: Any, root: type[BaseModel]
) -> str:
    key = str(location[-1])
    known = schema.model_fields
    if not known:
        return "is not a key: what was chosen here takes no keys; leave it out"
    if key == "flops" and "macs" in known:
        limits = value.items() if isinstance(value, dict) else [("max", value)]
        written = ", ".join(f"{limit}: {number}" for limit, number in limits)
        return f"is not a key; {_FLOPS.format(limits=written)}"
    elsewhere = [section for each, section in sections(root) if each == key and section]
    if elsewhere and key not in _COMMON:
        return f"is not a key here, but one of {' and '.join(elsewhere)}; move it there"
    names = [field.alias or name for name, field in known.items()]
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
    remedy = f"did you mean {near[0]!r}?" if near else f"write one of {', '.join(names)}"
    return f"is not a key; {remedy}"


def _model_at(location: Location, model: type[BaseModel]) -> type[BaseModel]:
    """The section of the schema at a location."""
    for key in location:
        field = model.model_fields.get(str(key))
        if field is None:
            break
        model = section_of(field.annotation) or model
    return model


# An example for each key that the schema requires.
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
    "from": "from: runs/imagenette",
}


# The keys of a space file that choose a part.
_TABLES: Mapping[str, "Table[Any]"] = {
    "sampler": SAMPLERS,
    "scheduler": SCHEDULERS,
    "task": TASKS,
}


# An example for each list of a fixed length.
_LISTS = {
    "window": "[256, 192]",
    "jitter": "[0.4, 0.4, 0.4, 0.1]: brightness, contrast, saturation, hue",
    "resized_crop": "[0.08, 1.0]: the range of area",
    "betas": "[0.9, 0.999]",
}


def _hides_value(detail: ErrorDetails) -> bool:
    """Whether to omit the value: a missing key has none, and some would only be noise."""
    return detail["type"] in ("missing", "extra_forbidden") or isinstance(detail["input"], dict)


def _shown(value: Any) -> str:
    return repr(list(value) if isinstance(value, tuple) else value)


def _value(data: Any, location: Location) -> Any:
    for key in location:
        data = data.get(key, {}) if isinstance(data, dict) else {}
    return data
