"""The growing area against counting cells of a grid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.statistics.hypervolume import growing
from analysis.statistics.intervals import StatisticsError

CELLS = 6
POINTS = st.lists(
    st.tuples(st.integers(0, CELLS), st.integers(0, CELLS)), min_size=1, max_size=12
)


@given(POINTS)
def test_the_area_is_what_some_point_dominates(points: list[tuple[int, int]]) -> None:
    covered = np.zeros((CELLS, CELLS), dtype=bool)
    counted = []
    for x, y in points:
        covered[x:, y:] = True
        counted.append(covered.mean())
    assert growing(np.array(points) / CELLS) == pytest.approx(counted)


def test_what_is_no_point_is_refused() -> None:
    with pytest.raises(StatisticsError, match=r"shape \(1, 3\) is not two columns"):
        growing([[1, 2, 3]])
    with pytest.raises(StatisticsError, match="finite numbers"):
        growing([[1, np.inf]])
