"""What is measured of a network before its training, and the limits on it. No torch here.

Latency, throughput, memory and energy are those of the untrained network's inference, on the
device of its trial: milliseconds, images/s, bytes, joules an image.
"""

import contextlib
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, model_validator

from search.schema.metrics import Objective
from search.schema.section import Section
from search.schema.values import parse_amount

_WRITTEN = re.compile(r"(\d+(?:\.\d+)?(?:[eE]-?\d+)?)\s*([a-z]*)", re.IGNORECASE)
_MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3}
_JOULES = {"mJ": 1e-3, "J": 1.0}


class Limits(NamedTuple):
    """Inclusive limits of one measured number; None for no limit."""

    objective: Objective
    low: float | None
    high: float | None

    def broken(self, value: float) -> str:
        """How a value breaks the limits, in words; empty where it keeps to them."""
        text, label = self.objective.text, self.objective.label
        if self.high is not None and value > self.high:
            return f"{label} {text(value)} is above the budget's {text(self.high)}"
        if self.low is not None and value < self.low:
            return f"{label} {text(value)} is below the budget's {text(self.low)}"
        return ""

    @property
    def in_words(self) -> str:
        """The limits in words, such as `latency at most 5 ms`."""
        most = self.high is not None
        bound = self.high if most else self.low
        assert bound is not None, "each section has one limit"
        return (
            f"{self.objective.label} at {'most' if most else 'least'} "
            f"{self.objective.text(bound)}"
        )


def milliseconds(value: Any) -> float:
    """`5ms`, `800us` or `0.5s` in milliseconds; a number is milliseconds already."""
    return _with_unit(value, _MILLISECONDS, default="ms", example="5ms, 800us or 0.5s")


def joules(value: Any) -> float:
    """`20mJ` or `0.02J` in joules; a number is joules already."""
    return _with_unit(value, _JOULES, default="J", example="20mJ or 0.02J")


def images_per_second(value: Any) -> float:
    """A number above 0, or an amount such as 2K."""
    return _positive(value, example="2000 or 2K")


def number_of_bytes(value: Any) -> float:
    """`500M`, `500MB` or `2G` in bytes, in steps of 1000."""
    text = value.strip() if isinstance(value, str) else value
    return _positive(text.removesuffix("B") if isinstance(text, str) else text, "500MB or 2GB")


def _positive(value: Any, example: str) -> float:
    number: float | None = None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value)
    elif isinstance(value, str):
        with contextlib.suppress(ValueError):
            number = parse_amount(value)
    if number is None or not 0 < number < math.inf:
        raise ValueError(f"is not an amount above 0; write one such as {example}")
    return float(number)


def _with_unit(value: Any, units: dict[str, float], *, default: str, example: str) -> float:
    written = _WRITTEN.fullmatch(str(value).strip())
    unit = (written[2] or default) if written and not isinstance(value, bool) else ""
    number = float(written[1]) * units[unit] if written and unit in units else 0.0
    if not 0 < number < math.inf:
        raise ValueError(f"is not an amount above 0; write one such as {example}")
    return number


class _OneLimit(Section):
    """A limit on one side only; the other side of a measured number has none."""

    @model_validator(mode="before")
    @classmethod
    def _from_its_side(cls, value: Any) -> Any:
        (key,) = cls.model_fields
        if isinstance(value, dict) and len(value) == 1 and set(value) <= {"min", "max"} - {key}:
            side = "above" if key == "max" else "below"
            raise ValueError(f"can only be limited from {side}; write {{{key}: ...}}")
        return value


class LatencyLimit(_OneLimit):
    """The longest time that inference may take."""

    max: Annotated[float, BeforeValidator(milliseconds)]
    """Upper limit, such as `5ms`. [ms]"""


class ThroughputLimit(_OneLimit):
    """The fewest images that a network must process per second."""

    min: Annotated[float, BeforeValidator(images_per_second)]
    """Lower limit. [images/s]"""


class MemoryLimit(_OneLimit):
    """The most memory that inference may take."""

    max: Annotated[float, BeforeValidator(number_of_bytes)]
    """Upper limit, such as `500MB`. [bytes]"""


class EnergyLimit(_OneLimit):
    """The most energy that inference may take."""

    max: Annotated[float, BeforeValidator(joules)]
    """Upper limit per image, such as `20mJ`. [J]"""


LIMITS: Mapping[str, type[Section]] = {  # by key of the budget
    "latency, latency_128": LatencyLimit,
    "throughput": ThroughputLimit,
    "inference_memory": MemoryLimit,
    "inference_energy": EnergyLimit,
}
