"""Labels the axis of a cost: its name, and the unit that makes its amounts readable."""

import pandas as pd

from analysis.plots.style import unit_of
from analysis.runs.scores import with_unit, words
from search.schema.metrics import Objective

_PER_IMAGE = ("macs", "activations", "model_macs")
_IN_THOUSANDS = ("", "B")  # counts and bytes: nobody reads "K ms" or "K images/s"


def labelled(cost: Objective, values: pd.Series) -> tuple[float, str]:
    """What to divide the values of an axis by, and the label of the axis.

    Args:
        cost: a counted or measured objective.
        values: its values, such as those of all networks.

    Returns:
        Such as 1e6 and "multiply-adds per image (M)".
    """
    unit, letter = unit_of(values.abs()) if cost.unit in _IN_THOUSANDS else (1.0, "")
    each = " per image" if cost.name in _PER_IMAGE else ""
    return unit, with_unit(words(cost) + each, letter + cost.unit)
