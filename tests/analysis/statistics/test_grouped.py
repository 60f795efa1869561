"""Intervals of many groups at once: those of each group alone."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.statistics.grouped import t_ends
from analysis.statistics.intervals import t_interval

numbers = st.one_of(
    st.just(50.0), st.floats(0, 100).map(lambda x: round(x, 3)), st.just(np.nan)
)


@settings(max_examples=25, deadline=None)
@given(groups=st.lists(st.lists(numbers, min_size=1, max_size=5), min_size=1, max_size=6),
       percent=st.booleans())  # fmt: skip
def test_each_is_the_interval_of_its_group(groups: list[list[float]], percent: bool) -> None:
    frame = pd.DataFrame([(i, value) for i, row in enumerate(groups) for value in row],
                         columns=["group", "value"])  # fmt: skip
    found = t_ends(frame["value"], frame["group"], percent=percent)
    for i, row in enumerate(groups):
        known = [value for value in row if not np.isnan(value)]
        low, high = t_interval(known).ends(percent=percent) if known else (np.nan, np.nan)
        np.testing.assert_allclose(found.loc[i].to_numpy(), [low, high], rtol=1e-9, atol=1e-9)
