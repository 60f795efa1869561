"""Metrics and objectives: what a trial reports or costs, and whether more or less is better.

A metric of a task is reported for two splits, as `val_<metric>` and `test_<metric>`; the
training loss is reported as `train_loss`, and its terms as `train_<name>`. No torch here.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from res2net import Architecture, Cost
from res2net.plugins import PluginError, import_attribute, split_plugin
from search.schema.units import format_amount

Direction = Literal["minimize", "maximize"]
Source = Literal["counted", "measured", "reported"]

VALIDATION, TEST, TRAIN = "val_", "test_", "train_"
PERCENT = "%"


class Metric(NamedTuple):
    """A score of a task, as its table names it, without the split."""

    name: str
    direction: Direction = "minimize"
    unit: str = ""  # "%" for a percentage
    complement: str = ""  # name of 100 % minus the value, such as accuracy


class Objective(NamedTuple):
    """A number by which networks are compared.

    It is counted before a trial, measured on its device before its training, or reported by it.

    A counted objective of a foreign part has a `counter`: (architecture, cost) to a number.
    """

    name: str
    direction: Direction
    source: Source
    unit: str = ""
    complement: str = ""
    counter: Callable[[Architecture, Cost], float] | None = None

    @property
    def column(self) -> str:
        """Its column in tables: the name, with the unit of a percentage or of a measurement."""
        if self.source == "measured":
            return "_".join(filter(None, (self.name, _UNITS_IN_COLUMNS[self.unit])))
        return column_of(self.name, self.unit)

    @property
    def ends(self) -> tuple[str, ...]:
        """Suffixes of its columns in tables: quartiles, or the seconds that a score took."""
        if self.source == "measured" and not self.unit:
            return ("", "_seconds")
        return ("", "_low", "_high") if self.has_quartiles else ("",)

    @property
    def has_quartiles(self) -> bool:
        """Whether it is measured in several passes, and so has a spread."""
        return self.source == "measured" and self.unit in ("ms", "images/s")

    def loss(self, value: float) -> float:
        """The value as a loss: lower is better."""
        return value if self.direction == "minimize" else -value

    def text(self, value: float) -> str:
        """The value with its unit."""
        if self.source == "counted":
            return f"{value:,.6g}"
        if self.unit == "B":
            return f"{format_amount(value)}B"
        if self.unit == PERCENT:
            return f"{value:.2f} %"
        return f"{self.number(value)}{_spaced(self.unit)}"

    def number(self, value: float) -> str:
        """The value with four digits, without its unit."""
        return f"{value:,.0f}" if value >= _WHOLE else f"{value:.4g}"

    @property
    def label(self) -> str:
        """Its name for a person: `val error`."""
        return self.name.rpartition(":")[2].replace("_", " ")

    @property
    def told(self) -> dict[str, str]:
        """What kept weights record of how their networks were compared, for a transfer."""
        return {key: value for key, value in self.to_json().items() if key != "source"}

    def to_json(self) -> dict[str, str]:
        """What the manifest keeps of it, so that readers need not import the part."""
        return {key: value for key, value in self._asdict().items() if key != "counter"}


def counted_by(objective: Objective, architecture: Architecture, cost: Cost) -> float:
    """The value that a foreign objective counts for a network.

    Raises:
        PluginError: it fails, or gives no finite number.
    """
    assert objective.counter is not None, "of a foreign objective"
    try:
        value = float(objective.counter(architecture, cost))
    except Exception as error:
        raise PluginError(
            f"{objective.name}: failed for {architecture.name} "
            f"({type(error).__name__}: {error})"
        ) from error
    if not math.isfinite(value):
        raise PluginError(
            f"{objective.name}: gave {value} for {architecture.name}; return a finite number"
        )
    return value


COUNTED = {name: Objective(name, "minimize", "counted") for name in Cost._fields}
MODEL = {  # of a network with its task's head, where the cost of the head is known
    name: Objective(name, "minimize", "counted") for name in ("model_params", "model_macs")
}
MEASURED = {
    one.name: one
    for one in (
        Objective("latency", "minimize", "measured", "ms"),
        Objective("latency_128", "minimize", "measured", "ms"),
        Objective("throughput", "maximize", "measured", "images/s"),
        Objective("inference_memory", "minimize", "measured", "B"),
        Objective("inference_energy", "minimize", "measured", "J"),
    )
}
SCORES = {  # of untrained networks; more is better
    name: Objective(name, "maximize", "measured") for name in ("synflow", "naswot", "grad_norm")
}
BASELINES = ("params", "macs")  # a useful score must be better than these
_WHOLE = 10_000  # from here on, digits after the point do not matter
_UNITS_IN_COLUMNS = {"": "", "ms": "ms", "images/s": "images_per_s", "B": "bytes", "J": "j"}


def column_of(name: str, unit: str) -> str:
    """The column of a number in tables."""
    return f"{name}_pct" if unit == PERCENT else name


def validated(metrics: Sequence[Metric]) -> dict[str, Objective]:
    """Each metric of a task on the validation images, by the name it is reported under."""
    return {
        f"{VALIDATION}{m.name}": Objective(
            f"{VALIDATION}{m.name}", m.direction, "reported", m.unit, m.complement
        )
        for m in metrics
    }


def on_test(objective: Objective) -> Objective:
    """The same metric on the test images."""
    return objective._replace(name=TEST + objective.name.removeprefix(VALIDATION))


def objectives_of(names: Sequence[str], metrics: Sequence[Metric]) -> tuple[Objective, ...]:
    """The objectives of a study by name.

    Args:
        names: names of the task's validation metrics, of costs, of measurements, or
            `module:attribute` of a function (architecture, cost) to a number, whose attribute
            `direction` may be "maximize".
        metrics: metrics of the task.

    Raises:
        ValueError: an unknown name, with those that exist; a part that cannot be imported or is
            not a function.
    """
    known = validated(metrics) | COUNTED | MODEL | MEASURED
    return tuple(_foreign(n) if split_plugin(n) else _known(n, known) for n in names)


def _known(name: str, known: dict[str, Objective]) -> Objective:
    if name not in known:
        raise ValueError(
            f"contains {name!r}, which is not an objective; write any of {', '.join(known)}, "
            "or package.module:attribute"
        )
    return known[name]


def _foreign(name: str) -> Objective:
    counter: Any = import_attribute(name)
    direction: Any = getattr(counter, "direction", "minimize")
    if not callable(counter) or direction not in ("minimize", "maximize"):
        raise PluginError(
            f"{name}: is not a function of (architecture, cost) that returns a number and has "
            "a direction, minimize or maximize; change it accordingly"
        )
    return Objective(name, direction, "counted", counter=counter)


def _spaced(unit: str) -> str:
    return f" {unit}" if unit else ""
