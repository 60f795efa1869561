"""Reads the kinds of values in a space file: amounts, lists of counts, ranges, `fill`.

Each function takes what YAML gave and returns the checked value, or raises ValueError with
the rule and the remedy.
"""

import itertools
import math
import re
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from res2net.architecture import PerStage
from res2net.plugins import split_plugin
from res2net.skeletons import SKELETONS, Depth
from search.schema.section import Section

_LONGEST = 100_000  # values of one dimension, at most
_MOST_STAGES = max(len(facts.stages) for facts in SKELETONS.values())
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_LARGEST = 2.0**62  # below the largest 64-bit integer, with room
_STACK = re.compile(r"(.*?)([1-9]\d{0,8})?", re.DOTALL)
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)")
_Value = TypeVar("_Value")


class MisfitError(ValueError):
    """A value that does not fit others; `at` is the dotted key to look at."""

    def __init__(self, at: str, problem: str) -> None:
        super().__init__(problem)
        self.at = at


def parse_amount(value: Any) -> int | None:
    """`4.0G`, `40M`, `250000` or `4e9` as a whole number above 0; None stays None."""
    if value is None:
        return None
    if isinstance(value, str):
        written = _AMOUNT.fullmatch(value.strip())
        number = float(written[1]) * _UNITS[written[2]] if written else 0.0
        bare = written is not None and not written[2]
    else:
        number, bare = float(value) if _is_number(value) else 0.0, True
    if bare and math.isfinite(number) and number % 1:
        raise ValueError(f"is not whole; did you mean {value}M or {value}G?")
    if not (1 <= number < _LARGEST):
        raise ValueError("is not an amount above 0; write one such as 4.0G, 40M or 250000")
    return round(number)


class EachStage(Section):
    """Every combination of some values over the stages of a network."""

    per_stage: tuple[int, ...]

    def combinations(self, stages: int) -> tuple[tuple[int, ...], ...]:
        """One tuple per combination; the last stage varies fastest."""
        return tuple(itertools.product(self.per_stage, repeat=stages))


def sizes(value: Any) -> tuple[PerStage, ...] | EachStage:
    """One value for all stages, a list of values, or a range; a value may be a list by stage.

    {per_stage: [1, 2, 4]} is every combination of these over the stages.
    """
    if isinstance(value, dict):
        return _each_stage(value) if "per_stage" in value else _range(value)
    rule = "a whole number from 1 up, or a list with one for each stage"
    return _each(value, _count_or_counts, rule, "[1, 2, 4], [[1, 2, 4, 8]] or {from: 1, to: 8}")


def counts(value: Any) -> tuple[int, ...]:
    """A whole number of at least 1, or a list of them."""
    return tuple(dict.fromkeys(_each(value, _count, "a whole number from 1 up", "[8, 16]")))


def counts_or_none(value: Any) -> tuple[int, ...] | None:
    """A whole number of at least 1, or a list of them; None, for none, stays None."""
    return None if value is None else counts(value)


def _each_stage(value: dict[str, Any]) -> EachStage:
    if value.keys() != {"per_stage"}:
        raise ValueError(f"has the keys {', '.join(value)}; write {{per_stage: [1, 2, 4]}}")
    read = _each(value["per_stage"], _count, "a whole number from 1 up", "[1, 2, 4]")
    distinct = tuple(dict.fromkeys(read))
    if len(distinct) ** _MOST_STAGES > _LONGEST:
        raise ValueError(f"has more than {_LONGEST:,} combinations; write fewer values")
    return EachStage(per_stage=distinct)


def widths(value: Any) -> tuple[PerStage, ...] | EachStage | Literal["fill"]:
    """One value for all stages, a list of values, or a range, as scale; or `fill`."""
    if value == "fill":
        return "fill"
    if isinstance(value, str):
        raise ValueError("is not a width; write whole numbers from 1 up, or fill")
    return sizes(value)


def depths(value: Any) -> tuple[Depth, ...] | EachStage | None:
    """One depth or a list; a depth is a number of layers, or a list: blocks of each stage.

    None, where no skeleton needs one, stays None.
    """
    if value is None:
        return None
    if isinstance(value, dict):
        return _each_stage(value)
    example = "[20, 29, 38], or blocks per stage: [[3, 4, 3]]"
    return _each(value, _count_or_counts, "a depth", example)


def stacks(value: Any) -> tuple[str, ...]:
    """One skeleton or a list; a skeleton may include its depth: `dla60`."""

    def stack(one: Any) -> str | None:
        if not isinstance(one, str):
            return None
        return one if split_stack(one)[0] in SKELETONS or split_plugin(one) else None

    known = ", ".join(SKELETONS)
    return _each(value, stack, f"a skeleton ({known})", "[imagenet, dla60, biglittle50]")


def split_stack(text: str) -> tuple[str, Depth | None]:
    """Split `dla60` into ("dla", 60), `imagenet` and `mine.py:STACK` into (the text, None)."""
    if split_plugin(text):
        return text, None
    name, depth = _STACK.fullmatch(text).groups()  # type: ignore[union-attr]  # matches all
    return name, int(depth) if depth else None


def flags(value: Any) -> tuple[bool, ...]:
    """true, false, or [false, true]."""

    def flag(one: Any) -> bool | None:
        return one if isinstance(one, bool) else None

    return _each(value, flag, "true or false", "false or [false, true]")


def _each(
    value: Any, read: Callable[[Any], _Value | None], rule: str, example: str
) -> tuple[_Value, ...]:
    items = value if isinstance(value, tuple) else (value,)
    if not items:
        raise ValueError(f"is an empty list; write at least one value, such as {example}")
    read_items = []
    for item in items:
        one = read(item)
        if one is None and items is not value:
            raise ValueError(f"is not {rule}; write, for example, {example}")
        if one is None:
            shown = list(item) if isinstance(item, tuple) else item
            raise ValueError(
                f"contains {shown!r}, which is not {rule}; write, for example, {example}"
            )
        read_items.append(one)
    return tuple(read_items)


def _range(value: dict[str, Any]) -> tuple[int, ...]:
    keys = {"from", "to", "step"}
    if not {"from", "to"} <= value.keys() <= keys:
        raise ValueError(
            f"has the keys {', '.join(value)}; write {{from: 4, to: 64, step: 2}} or "
            "{per_stage: [1, 2, 4]}"
        )
    numbers = {key: _count(number) for key, number in value.items()}
    for key, number in numbers.items():
        if number is None:
            raise ValueError(f"{key} is {value[key]!r}; write a whole number from 1 up")
    first, last, step = numbers["from"], numbers["to"], numbers.get("step", 1)
    assert first is not None, "checked above"
    assert last is not None, "checked above"
    if first > last:
        raise ValueError(f"goes down from {first} to {last}; swap them")
    if (last - first) // (step or 1) >= _LONGEST:
        raise ValueError(f"has more than {_LONGEST:,} values; write a larger step")
    return tuple(range(first, last + 1, step or 1))


def _count_or_counts(value: Any) -> PerStage | None:
    if isinstance(value, tuple):
        return value if value and all(_count(n) for n in value) else None
    return _count(value)


def _count(value: Any) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 1 <= value < _LARGEST else None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def class_choice(value: Any) -> int | str | tuple[str, ...] | None:
    """How many classes, a list file's path, or a list of their names."""
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 2
    names = isinstance(value, tuple) and value and all(isinstance(n, str) for n in value)
    if value is None or whole or names or (isinstance(value, str) and value):
        chosen: int | str | tuple[str, ...] | None = value
        return chosen
    raise ValueError(
        "is not a choice of classes; write how many (100), the path of a list file, or "
        "names: [n01440764, n02102040], with quotes around those that look like numbers: "
        "['007']"
    )
