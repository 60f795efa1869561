"""Names objectives for readers and shows an error in percent as the accuracy.

Input: an `Objective` of a run. Output: its name in words, its values as shown in figures and
sentences, and which values are better. No other module in analysis deals with directions or
units.
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
    """How figures and sentences show an objective.

    Attributes:
        name: such as "test accuracy".
        unit: "%" for a percentage; empty for a number without a unit.
        complemented: whether it is shown as 100 minus the objective.
        more_is_better: whether larger values, as shown, are better.
    """

    name: str
    unit: str
    complemented: bool
    more_is_better: bool

    def of(self, values: Values) -> Values:
        """Convert values of the objective to the values shown."""
        return 100 - values if self.complemented else values

    @property
    def label(self) -> str:
        """The name with the unit, for axes and titles of columns."""
        return with_unit(self.name, self.unit)

    def signed(self, change: float) -> str:
        """Format a difference of two values for sentences, with its sign."""
        return f"{change:{self.form('+')}}"

    def form(self, sign: str = "") -> str:
        """Python format specification for a value, or with "+" for a difference."""
        return f"{sign}.2f" if self.unit == PERCENT else f"{sign}.4g"

    @property
    def unit_of_difference(self) -> str:
        """The unit of a difference of two values: points for a percentage."""
        return "points" if self.unit == PERCENT else self.unit

    @property
    def difference(self) -> str:
        """Words for a difference of two values, such as points of test accuracy."""
        return f"points of {self.name}" if self.unit == PERCENT else f"of {self.label}"


def is_percent_error(objective: Objective) -> bool:
    """Whether it is an error in percent whose complement has its own name."""
    return bool(objective.complement) and objective.unit == PERCENT


def score_of(objective: Objective) -> Score:
    """How an objective is shown: an error in percent as its complement, others unchanged."""
    lower = lower_is_better(objective)
    if not is_percent_error(objective):
        return Score(words(objective), objective.unit, False, not lower)
    split, _ = _split(objective.name)
    return Score(f"{split} {objective.complement}".strip(), objective.unit, True, lower)


def lower_is_better(objective: Objective) -> bool:
    """Whether smaller values of an objective are better."""
    return objective.direction == "minimize"


def losses(objective: Objective, values: pd.Series) -> pd.Series:
    """Convert an objective's values to losses, where smaller is better."""
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


def chance_of(objective: Objective, classes: int) -> float:
    """The error of guessing among so many classes, in percent; of top-5, five are guessed."""
    guesses = 5 if objective.name.endswith("_top5") else 1
    return 100 - 100 * min(guesses, classes) / classes


def form_of(objective: Objective, sign: str = "") -> str:
    """`Score.form` of an objective."""
    return score_of(objective).form(sign)


def capital(text: str) -> str:
    """Capitalise the first letter, as at the beginning of a sentence."""
    return text[0].upper() + text[1:]


def with_unit(name: str, unit: str) -> str:
    """A name with its unit in brackets, if it has one."""
    return f"{name} ({unit})" if unit else name


def readable(frame: pd.DataFrame, ranking: Objective) -> pd.DataFrame:
    """Rename the ranking metric's columns in a table to readable titles.

    Args:
        frame: a table from `analysis.runs` or `analysis.questions`.
        ranking: the ranking metric, `run.ranking`.
    """
    titles: dict[str, str] = {}
    for side, metric in (("val", ranking), ("test", on_test(ranking))):
        titles |= dict.fromkeys((side, metric.column), with_unit(metric.label, metric.unit))
    return frame.rename(columns=titles)


def _split(name: str) -> tuple[str, str]:
    """Split a metric's name into the images it refers to and the rest."""
    for prefix, split in _SPLITS.items():
        if name.startswith(prefix):
            return split, name.removeprefix(prefix)
    return "", name
