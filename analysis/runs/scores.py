"""Names an objective for a reader, and shows an error in percent as its accuracy.

Goes in: an `Objective` of a run. Come out: its words, its values as figures and sentences show
them, and which of them are better. Nothing else in analysis asks for a direction or a unit.
"""

from typing import NamedTuple, TypeVar

import pandas as pd

from search.schema.metrics import PERCENT, TEST, VALIDATION, Objective, on_test

_SPLITS = {VALIDATION: "validation", TEST: "test"}
_COSTS = {
    "macs": "multiply-adds",
    "params": "parameters",
    "activations": "activations",
    "model_macs": "multiply-adds of the model",
    "model_params": "parameters of the model",
}
Values = TypeVar("Values", float, pd.Series)


class Score(NamedTuple):
    """An objective as figures and sentences show it.

    Attributes:
        name: such as "test accuracy".
        unit: "%" for a percentage; empty for a number without a unit.
        complemented: whether it is shown as 100 less the objective.
        more_is_better: whether larger values, as they are shown, are better.
    """

    name: str
    unit: str
    complemented: bool
    more_is_better: bool

    def of(self, values: Values) -> Values:
        """The values of the objective as they are shown."""
        return 100 - values if self.complemented else values

    @property
    def label(self) -> str:
        """The name with the unit, for axes and titles of columns."""
        return with_unit(self.name, self.unit)

    def signed(self, change: float) -> str:
        """A difference of two values as sentences say it, with its sign."""
        return f"{change:{self.form('+')}}"

    def form(self, sign: str = "") -> str:
        """How a value, or with "+" a difference, is written, as Python's format takes it."""
        return f"{sign}.2f" if self.unit == PERCENT else f"{sign}.4g"

    @property
    def difference(self) -> str:
        """What a difference of two values is called: points of test accuracy."""
        return f"points of {self.name}" if self.unit == PERCENT else f"of {self.label}"


def is_percent_error(objective: Objective) -> bool:
    """Whether it is an error in percent, whose complement has a name of its own."""
    return bool(objective.complement) and objective.unit == PERCENT


def score_of(objective: Objective) -> Score:
    """How an objective is shown: an error in percent as its complement, others as they are."""
    lower = lower_is_better(objective)
    if not is_percent_error(objective):
        return Score(words(objective), objective.unit, False, not lower)
    split, _ = _split(objective.name)
    return Score(f"{split} {objective.complement}".strip(), objective.unit, True, lower)


def lower_is_better(objective: Objective) -> bool:
    """Whether smaller values of an objective are better."""
    return objective.direction == "minimize"


def losses(objective: Objective, values: pd.Series) -> pd.Series:
    """The values of an objective as something to make small."""
    return values if lower_is_better(objective) else -values


def words(objective: Objective) -> str:
    """The name of an objective in full words: "validation error"."""
    split, rest = _split(objective.name)
    if not split:
        return _COSTS.get(objective.name, objective.label)
    return f"{split} {rest.replace('_', ' ')}"


def titled(objective: Objective) -> str:
    """The name in full words, with the unit: "validation error (%)"."""
    return with_unit(words(objective), objective.unit)


def form_of(objective: Objective, sign: str = "") -> str:
    """As `Score.form`, of an objective as it is."""
    return score_of(objective).form(sign)


def capital(text: str) -> str:
    """The text as the beginning of a sentence."""
    return text[0].upper() + text[1:]


def with_unit(name: str, unit: str) -> str:
    """A name with its unit in brackets, where it has one."""
    return f"{name} ({unit})" if unit else name


def readable(frame: pd.DataFrame, ranking: Objective) -> pd.DataFrame:
    """A table with the metric that ranks under a title in place of its column's name.

    Args:
        frame: from `analysis.runs` or `analysis.questions`.
        ranking: the metric: `run.ranking`.
    """
    titles: dict[str, str] = {}
    for side, metric in (("val", ranking), ("test", on_test(ranking))):
        titles |= dict.fromkeys((side, metric.column), with_unit(metric.label, metric.unit))
    return frame.rename(columns=titles)


def _split(name: str) -> tuple[str, str]:
    """The images that a metric is of, and its name without them."""
    for prefix, split in _SPLITS.items():
        if name.startswith(prefix):
            return split, name.removeprefix(prefix)
    return "", name
