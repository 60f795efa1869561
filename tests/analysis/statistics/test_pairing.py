"""Many networks at once, as scipy compares each: by pairs or by Welch."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.statistics.pairing import against, each_against

ROWS = st.lists(
    st.tuples(
        st.sampled_from("xyz"), st.integers(0, 4), st.integers(-50, 50).map(lambda i: i / 7)
    ),
    min_size=1,
    max_size=20,
)


def frame(rows: list[tuple[str, int, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["name", "seed", "error"])


@settings(max_examples=25, deadline=None)
@given(ROWS, ROWS)
def test_each_is_as_one_by_one(
    first: list[tuple[str, int, float]], second: list[tuple[str, int, float]]
) -> None:
    a, b = frame(first), frame(second)
    found = each_against(a, b, column="error")
    assert sorted(found.index) == sorted({*a["name"]} & {*b["name"]})
    for name, row in found.iterrows():
        sides = (rows[rows["name"] == name] for rows in (a, b))
        expected, by = against(*sides, column="error")
        assert row["by"] == by
        assert row["difference"] == pytest.approx(expected.difference.estimate)
        assert np.isnan(row["error"]) == (expected.p is None)


def test_missing_scores_are_left_out() -> None:
    a = frame([("x", 1, 3.0), ("x", 2, np.nan), ("x", 3, 5.0)])
    b = frame([("x", 1, 1.0), ("x", 3, 2.0)])
    row = each_against(a, b, column="error").loc["x"]
    assert (row["by"], row["difference"], row["df"]) == ("paired", 2.5, 1)
    assert row["error"] == pytest.approx(0.5)
