"""What is refused, with its reason and remedy."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from analysis.scaling.points import Refusal, cells, check
from tests.analysis.scaling.simulated import power_law, trials

LAW = power_law(15, 20, 0.6)
SIZES = [1.0, 2.0, 4.0, 8.0, 16.0]


def but(column: str, value: object, row: int = 0) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def changed(points: pd.DataFrame) -> pd.DataFrame:
        points = points.astype({column: object})
        points.loc[row, column] = value
        return points

    return changed


REFUSED: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    r"3 distinct sizes are fewer than 4; train networks of more sizes": (
        lambda points: points[points["size"] < 8]
    ),
    r"all sizes lie within a factor of 1.50; train networks whose": (
        lambda points: points.assign(size=1 + np.log2(points["size"]) / 8)
    ),
    r"mixed epochs: 5, 60; keep the trials of one schedule": but("epochs", 5),
    r"mixed recipe: r2, r1; compare networks of one recipe": but("recipe", "r2"),
    r"mixed data: d2, d1; compare networks on one data set": but("data", "d2"),
    r"two rows for network n0, seed 1; give one row": but("seed", 1),
    r"network n0 has 2 sizes; name networks apart": but("size", 3.0),
    r"a size is not a number > 0; give MACs": but("size", 0.0),
    r"an error of nan % is not between 0 and 100": but("error", np.nan),
    r"an error of 0 % is not between": but("error", 0.0),
    r"no column seed, data; give a frame": lambda points: points.drop(columns=["seed", "data"]),
    r"no rows; give finished trials": lambda points: points.head(0),
}


@pytest.mark.parametrize(("words", "change"), REFUSED.items(), ids=list(REFUSED))
def test_refused(words: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    with pytest.raises(Refusal, match=words) as refused:
        check(change(trials(SIZES, LAW)))
    assert str(refused.value) == f"{refused.value.reason}; {refused.value.remedy}"


def test_a_form_of_more_parameters_needs_more_sizes() -> None:
    points = trials(SIZES[:4], LAW)
    check(points, parameters=3)
    with pytest.raises(Refusal, match="4 distinct sizes are fewer than 5"):
        check(points, parameters=4)


def test_errors_at_chance_are_refused_where_it_is_known() -> None:
    points = trials(SIZES, lambda size: 95 + 0 * size)
    check(points)
    with pytest.raises(Refusal, match=r"95 % is not between 0 and 90, the error of guessing"):
        check(points, chance=90.0)


def test_epochs_may_differ_where_they_are_studied() -> None:
    points = trials(SIZES, LAW)
    longer = points.assign(epochs=120, size=2 * points["size"])
    both = pd.concat([points, longer], ignore_index=True)
    check(both, epochs_studied=True)
    with pytest.raises(Refusal, match="mixed epochs"):
        check(both)
    assert len(set(cells(both))) == 10


def test_cells_are_numbered_without_gaps() -> None:
    points = trials(SIZES, LAW, seeds=2)
    assert cells(points).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
