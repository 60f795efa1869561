"""The reference of the space file, as Markdown: python -m search.schema.reference.

Takes the schema, whose keys have their meaning as a docstring below each, and the tables of
parts; gives docs/space_file.md, on standard output. No torch here.
"""

import ast
import inspect
import itertools
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

from res2net.exit_codes import ExitCode
from res2net.terminal import run_command
from search.schema.budget import Band
from search.schema.examples import EXAMPLES
from search.schema.measured import LIMITS
from search.schema.network import block_name
from search.schema.parts import Choice, Table
from search.schema.prior import Prior
from search.schema.reference_tables import heading, names, table
from search.schema.search import Base
from search.schema.section import Section
from search.schema.settings import DepthRule
from search.schema.space_file import SpaceFile
from search.schema.trackers import TRACKERS
from search.schema.tune import Tune
from search.schema.values import parse_amount

_INTRODUCTION = """\
# The space file

<!-- Made by `python -m search.schema.reference`; change the schema, not this file. -->

A space file is YAML 1.2: `1e-3` is a number and `no` is a word. It says which networks are
candidates, what they may cost, and how they are trained and compared. Unknown and repeated
keys are refused, each with its line and a remedy. `python -m search.run SPACE.yaml --plan`
shows what a file comes to; `--set key.subkey=value` lays a value over it.

Where a key stands for a part (sampler, scheduler, objective, optimiser, recipe, data set, task,
block), its value is a name from the tables below, or a part of yours: see
[adding a part](adding_a_part.md).
"""
_INSIDE: Mapping[str, Mapping[str, type[Section]]] = {
    "budget": {"macs, params, activations, model_macs, model_params": Band, **LIMITS},
    "training": {"lr: {rule: depth}": DepthRule},
    "search": {"base": Base, "prior": Prior, "tune": Tune},
}
_HEADINGS = {*SpaceFile.model_fields, "base", "prior", "tune"}
_LIMITS = (
    (Gt, "above", "gt"),
    (Ge, "at least", "ge"),
    (Lt, "below", "lt"),
    (Le, "at most", "le"),
)


def reference() -> str:
    """The whole document."""
    return "\n".join(
        [
            _INTRODUCTION,
            *_section("The file", SpaceFile, EXAMPLES["the file"]),
            *_sections(),
            *names(_keys),
        ]
    )


def described(section: type[Section]) -> Iterator[tuple[str, FieldInfo, str, str]]:
    """Each key of a section: name, field, meaning, unit; the last two from its docstring."""
    texts: dict[str, str] = {}
    for kind in reversed(section.__mro__):
        if _is_section(kind):
            texts |= _docstrings(kind)
    for name, field in section.model_fields.items():
        text = " ".join(texts.get(name, "").split())
        meaning, bracket, unit = text.partition(" [")
        yield field.alias or name, field, meaning, unit.removesuffix("]") if bracket else ""


def _docstrings(section: type[Section]) -> dict[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(section)))
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found = {}
    for pair in itertools.pairwise(body):
        match pair:
            case ast.AnnAssign(target=ast.Name(id=key)), ast.Expr(
                value=ast.Constant(value=str())
            ):
                found[key] = ast.literal_eval(pair[1].value)
    return found


def _sections() -> Iterator[str]:
    for name, field in SpaceFile.model_fields.items():
        section = next((s for s in _parts_of(field.annotation) if _is_section(s)), None)
        if section is not None:
            yield from _section(name, section, EXAMPLES.get(name, ""))
        elif name == "trackers":
            yield from (f"## {name}\n", *_code(EXAMPLES[name]))
            rows = ((f"`{one}`", facts.summary) for one, facts in TRACKERS.items())
            yield table(("name", "what it is"), rows)
            yield "Where each writes, and how it is read: [trackers](dashboards.md#trackers).\n"
        elif name == "scheduler":
            yield from ("## scheduler\n", *_code(EXAMPLES[name]))
            yield "The names and their keys stand [below](#schedulers).\n"
        for inside, inner in _INSIDE.get(name, {}).items():
            yield f"### {inside}\n\n{_paragraph(inner)}\n"
            yield _keys(inner)


def _section(title: str, section: type[Section], example: str) -> Iterator[str]:
    yield f"## {title}\n\n{_paragraph(section)}\n"
    yield from _code(example)
    yield _keys(section)
    if title == "training":
        yield (
            "`recipe` names a [recipe](#recipes); the keys written beside it lie over the "
            "recipe's.\n"
        )


def _paragraph(section: type[Section]) -> str:
    return inspect.cleandoc(section.__doc__ or "")


def _code(example: str) -> Iterator[str]:
    if example:
        yield f"```yaml\n{textwrap.dedent(example)}```\n"


def _keys(section: type[Section]) -> str:
    rows = (
        (f"`{name}`", _linked(name, _kind(field)), _default(field), unit, meaning)
        for name, field, meaning, unit in described(section)
    )
    return table(("key", "type", "default", "unit", "meaning"), rows)


def _linked(name: str, kind: str) -> str:
    return f"[section](#{name})" if kind == "section" and name in _HEADINGS else kind


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if _is_section(type(value)):
        return "its defaults"
    if value is None or value in ({}, ()):
        return "not set"
    return f"`{_written(value)}`"


def _written(value: Any) -> str:
    """A value as a space file writes it."""
    if isinstance(value, Choice):
        return value.name
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        one = len(value) == 1
        return _written(value[0]) if one else f"[{', '.join(map(_written, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _kind(field: FieldInfo) -> str:
    """What may be written for a field, in words."""
    read = next((m for m in field.metadata if isinstance(m, BeforeValidator)), None)
    if read is not None:
        return _kind_read_by(read.func)
    return _kind_of(field.annotation, field.metadata)


def _kind_read_by(function: Any) -> str:
    """What a reader function accepts: names of a table, or what its docstring says."""
    own = getattr(function, "__self__", None)
    parts = own or inspect.getclosurevars(function).nonlocals.get("table")
    if isinstance(parts, Table):
        anchor = heading(parts.kind).lower().replace(" ", "-")
        keys = "" if own else ", or `{name: NAME, key: value}` with its keys"
        return f"name in [{heading(parts.kind).lower()}](#{anchor}){keys}"
    if function is block_name:
        return "name in [blocks](#blocks)"
    if function is parse_amount:
        return "amount such as `4.0G`, `40M` or `250000`"
    first = inspect.cleandoc(function.__doc__ or "").partition("\n\n")[0]
    return " ".join(first.removesuffix(".").split())


def _kind_of(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        read = next((m for m in more if isinstance(m, BeforeValidator)), None)
        return _kind_read_by(read.func) if read else _kind_of(inner, _flat(more))
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(annotation))
    if get_origin(annotation) in (Union, UnionType):
        kinds = (_kind_of(a, metadata) for a in get_args(annotation) if a is not NoneType)
        return " or ".join(dict.fromkeys(kinds))
    if get_origin(annotation) is tuple:
        inner, *others = get_args(annotation)
        count = "" if others == [Ellipsis] else f" {len(others) + 1}"
        return f"list of{count}: {_kind_of(inner)}"
    if _is_section(annotation):
        return "section"
    words = {int: "whole number", float: "number", bool: "`true` or `false`", str: "text"}
    return words.get(annotation, "keys and values") + _limits(metadata)


def _flat(metadata: Iterable[Any]) -> Iterator[Any]:
    for each in metadata:
        yield from each.metadata if isinstance(each, FieldInfo) else (each,)


def _limits(metadata: Iterable[Any]) -> str:
    limits = [
        f"{words} {getattr(each, key):g}"
        for each in metadata
        for kind, words, key in _LIMITS
        if isinstance(each, kind)
    ]
    return " " + ", ".join(limits) if limits else ""


def _parts_of(annotation: Any) -> tuple[Any, ...]:
    return (annotation, *get_args(annotation))


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section) and kind is not Choice


def main() -> int:
    """Print the reference."""
    sys.stdout.write(reference())
    return ExitCode.DONE


if __name__ == "__main__":
    raise SystemExit(run_command(main))
