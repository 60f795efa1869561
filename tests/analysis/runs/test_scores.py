"""Objectives in words: what they are called, shown as, and which is better."""

import pandas as pd
import pytest

from analysis.runs.scores import chance_of, form_of, losses, score_of, titled, words
from search.schema.metrics import COUNTED, Objective, on_test

ERROR = Objective("val_error", "minimize", "reported", "%", "accuracy")
MIOU = Objective("val_miou", "maximize", "reported", "%")
TIME = Objective("val_time", "minimize", "reported", "ms")


@pytest.mark.parametrize(
    ("objective", "name", "label", "shown", "more"),
    [
        (ERROR, "validation error", "validation accuracy (%)", 70.0, True),
        (on_test(ERROR), "test error", "test accuracy (%)", 70.0, True),
        (MIOU, "validation miou", "validation miou (%)", 30.0, True),
        (TIME, "validation time", "validation time (ms)", 30.0, False),
        (COUNTED["macs"], "multiply-adds", "multiply-adds", 30.0, False),
    ],
)
def test_names_and_values(
    objective: Objective, name: str, label: str, shown: float, more: bool
) -> None:
    score = score_of(objective)
    assert words(objective) == name
    assert titled(objective) == (f"{name} ({objective.unit})" if objective.unit else name)
    assert (score.label, score.of(30.0), score.more_is_better) == (label, shown, more)


def test_losses_are_small_where_it_is_good() -> None:
    values = pd.Series([1.0, 3.0])
    assert losses(ERROR, values).tolist() == [1.0, 3.0]
    assert losses(MIOU, values).tolist() == [-1.0, -3.0]


def test_differences_keep_the_digits_that_their_unit_needs() -> None:
    share = Objective("test_max_f", "maximize", "reported")
    assert score_of(ERROR).signed(-0.1234) == "-0.12"
    assert score_of(share).signed(-0.0012345) == "-0.001234", "two decimals would say nothing"
    assert (form_of(ERROR, "+"), form_of(share)) == ("+.2f", ".4g")


@pytest.mark.parametrize(
    ("name", "classes", "chance"),
    [("val_error", 10, 90.0), ("val_error_top5", 10, 50.0), ("val_error_top5", 3, 0.0)],
)
def test_of_top_5_five_are_guessed(name: str, classes: int, chance: float) -> None:
    objective = Objective(name, "minimize", "reported", "%")
    assert chance_of(objective, classes) == chance
