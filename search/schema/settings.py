"""Settings of training that a space file may vary, as dimensions besides the network's.

`lr: 0.1` is one value, `lr: [0.05, 0.1]` or a range are several, and `lr: {rule: depth}` is a
value for each network that depends on its depth. No torch here.
"""

import itertools
import math
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PositiveFloat, PositiveInt

from search.schema.section import Section

VARIABLE = ("epochs", "lr", "weight_decay", "momentum")
_USUAL = 9  # values of a range that does not give their number
_MOST = 100  # values of one setting
_DIGITS = 3  # digits that a value of a range keeps, or more where two values would be equal
_MOST_DIGITS = 17  # of a 64-bit number
_EXPONENT = -1.5
_RANGE = {"from", "to", "log", "values"}


class DepthRule(Section):
    """A learning rate that falls with the depth of the network."""

    rule: Literal["depth"]
    """`depth`: the rate times (effective depth over that of the reference)^-3/2, the law of
    arXiv 2602.07494.
    """
    lr: PositiveFloat = 0.1
    """Highest learning rate that suits the reference network."""
    depth: PositiveInt | None = None
    """Depth of the reference network, in the first skeleton of the file; left out, that of the
    network with the least effective depth. [layers]
    """


class PlannedRule(Section):
    """A learning rate by depth, in numbers."""

    lr: PositiveFloat
    """Highest learning rate that suits the reference network."""
    effective_depth: PositiveInt
    """Effective depth of the reference: `res2net.receptive.effective_depth`."""

    def rate(self, effective_depth: int) -> float:
        """The highest rate for a network of another effective depth (arXiv 2602.07494)."""
        return float(self.lr * (effective_depth / self.effective_depth) ** _EXPONENT)


def suffix(setting: str, value: float) -> str:
    """The suffix that a setting adds to a network's name: `_lr0.1`; unique for each value."""
    short = f"{value:g}"
    return f"_{setting}{short if float(short) == value else repr(value)}"


def rates(value: Any) -> Any:
    """A number above 0, a list, `{from: 0.02, to: 0.4, log: true}`, or `{rule: depth}`."""
    if isinstance(value, dict) and "rule" in value:
        return value
    return _one_or_several(value, _above_zero, "a number above 0", "[0.05, 0.1, 0.2]")


def lengths(value: Any) -> Any:
    """A whole number of at least 1, or a list of them."""
    if isinstance(value, dict):
        raise ValueError("is not a number of epochs; write whole numbers, such as [10, 30]")
    return _one_or_several(value, _count, "a whole number from 1 up", "[10, 30]")


def shares(value: Any) -> Any:
    """A number of at least 0 and below 1, a list of them, or a range."""
    return _one_or_several(value, _share, "a number from 0 up and below 1", "[0.0, 0.1]")


def amounts(value: Any) -> Any:
    """A number from 0 up, a list of them, or a range: `{from: 1e-5, to: 1e-3, log: true}`."""
    return _one_or_several(value, _not_negative, "a number from 0 up", "[1e-4, 5e-4]")


Lengths = Annotated[PositiveInt | tuple[PositiveInt, ...], BeforeValidator(lengths)]
Rates = Annotated[PositiveFloat | tuple[PositiveFloat, ...] | DepthRule, BeforeValidator(rates)]
Shares = Annotated[float | tuple[float, ...], BeforeValidator(shares)]
Amounts = Annotated[float | tuple[float, ...], BeforeValidator(amounts)]


def _one_or_several(
    value: Any, read: Callable[[Any], float | None], rule: str, example: str
) -> float | tuple[float, ...]:
    """One checked value, or the distinct ones of a list or a range in ascending order."""
    if isinstance(value, dict):
        value = _range(value, read, rule)
    if not isinstance(value, tuple):
        one = read(value)
        if one is None:
            raise ValueError(f"is not {rule}; write one, or several: {example}")
        return one
    several = set()
    for item in value:
        one = read(item)
        if one is None:
            raise ValueError(
                f"contains {item!r}, which is not {rule}; write, for example, {example}"
            )
        several.add(one)
    if not 1 <= len(several) <= _MOST:
        raise ValueError(f"has {len(several)} values; write 1 to {_MOST}, such as {example}")
    return several.pop() if len(several) == 1 else tuple(sorted(several))


def _range(
    value: dict[str, Any], read: Callable[[Any], float | None], rule: str
) -> tuple[float, ...]:
    """The values of `{from: 0.02, to: 0.4, log: true, values: 9}`, rounded to few digits."""
    if not {"from", "to"} <= value.keys() <= _RANGE:
        raise ValueError(
            f"has the keys {', '.join(value)}; write {{from: 0.02, to: 0.4, log: true}}, and "
            f"values: {_USUAL} for as many of them"
        )
    low, high = read(value["from"]), read(value["to"])
    log, count = value.get("log", False), value.get("values", _USUAL)
    if low is None or high is None or low >= high:
        raise ValueError(
            f"goes from {value['from']!r} to {value['to']!r}; write two that are {rule}, the "
            "smaller first"
        )
    if not isinstance(log, bool) or (log and low == 0):
        raise ValueError(
            "has a log that is neither true nor false, or true although from is 0; correct it"
        )
    if not _count(count) or not 2 <= count <= _MOST:
        raise ValueError(f"has {count!r} values; write a whole number from 2 to {_MOST}")
    shares = [step / (count - 1) for step in range(1, count - 1)]
    if log:
        return _between(low, [low * (high / low) ** share for share in shares], high)
    return _between(low, [low + (high - low) * share for share in shares], high)


def _between(low: float, values: list[float], high: float) -> tuple[float, ...]:
    """Both ends as written, the others with as few digits as keep all distinct."""
    for digits in range(_DIGITS, _MOST_DIGITS):
        found = [low, *(float(f"{value:.{digits}g}") for value in values), high]
        if all(one < other for one, other in itertools.pairwise(found)):
            return tuple(found)
    return (low, *values, high)


def _number(value: Any) -> float | None:
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if plain and math.isfinite(value) else None


def _above_zero(value: Any) -> float | None:
    number = _number(value)
    return number if number is not None and number > 0 else None


def _not_negative(value: Any) -> float | None:
    number = _number(value)
    return number if number is not None and number >= 0 else None


def _share(value: Any) -> float | None:
    number = _not_negative(value)
    return number if number is not None and number < 1 else None


def _count(value: Any) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and value >= 1 else None
