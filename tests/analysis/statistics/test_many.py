"""Mean ranks against Demsar's published numbers, effect sizes against brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.statistics.intervals import StatisticsError
from analysis.statistics.many import cliques, effect_sizes, mean_ranks


@pytest.mark.parametrize(("networks", "q"), [(2, 1.960), (3, 2.343), (5, 2.728), (10, 3.164)])
def test_the_critical_difference_is_demsar_s(networks: int, q: float) -> None:
    """Demsar 2006, table 5(a)."""
    found = mean_ranks(np.random.default_rng(0).random((networks, 14)))
    scale = np.sqrt(networks * (networks + 1) / (6 * 14))
    assert found.distance / scale == pytest.approx(q, abs=1e-3)


def test_ranks_are_of_each_seed_and_friedman_is_scipy_s() -> None:
    table = np.array([[1.0, 2, 3], [4, 2, 5], [9, 8, 7]])
    found = mean_ranks(table)
    assert found.ranks == pytest.approx([(1 + 1.5 + 1) / 3, (2 + 1.5 + 2) / 3, 3])
    assert found.p == pytest.approx(stats.friedmanchisquare(*table).pvalue)
    assert mean_ranks(table[:2]).p is None
    assert mean_ranks(np.ones((3, 3))).p is None


@given(st.lists(st.integers(0, 30), min_size=2, max_size=8), st.integers(0, 10))
def test_groups_are_the_largest_within_the_distance(ranks: list[int], distance: int) -> None:
    row = sorted(ranks)
    near = {
        (i, j) for i in range(len(row)) for j in range(i + 1, len(row))
        if row[j] - row[i] <= distance
    }  # fmt: skip
    largest = {
        (i, j) for i, j in near
        if not any((a, b) != (i, j) and a <= i and j <= b for a, b in near)
    }  # fmt: skip
    assert set(cliques(row, distance)) == largest


def test_effects_are_counted() -> None:
    """g: difference 4, pooled variance (1 + 1 + 4) / 3 = 2, df 6: 1 - 3 / 23."""
    table = np.array([[10.0, 11, 12], [14, 15, 16], [9, 11, 13]])
    found = effect_sizes(table)
    assert found["g"].tolist()[1:] == pytest.approx([4 / np.sqrt(2) * (20 / 23), 0])
    assert found["delta"].tolist()[1:] == pytest.approx([1, (4 - 4) / 9])
    assert found.loc[0].isna().all()
    low, high = found.loc[1, ["low", "high"]] / np.sqrt(2 / 3)
    t = 4 / np.sqrt(2) / np.sqrt(2 / 3)
    assert stats.nct.sf(t, 6, low) == pytest.approx(0.025, abs=1e-6)
    assert stats.nct.cdf(t, 6, high) == pytest.approx(0.025, abs=1e-6)
    turned = effect_sizes(-table)
    assert turned.loc[1, ["g", "low", "high"]].tolist() == pytest.approx(
        [-found.loc[1, end] for end in ("g", "high", "low")]
    )
    assert effect_sizes(np.array([[1.0, 1], [2, 2]]))["g"].isna().all()


@pytest.mark.parametrize(
    ("errors", "message"),
    [
        ([[1.0], [2.0]], r"shape \(2, 1\) is not two networks or more with two shared seeds"),
        ([[1.0, np.nan], [2.0, 3.0]], "one is not finite"),
    ],
)
def test_what_cannot_be_ranked_is_refused(errors: list[list[float]], message: str) -> None:
    with pytest.raises(StatisticsError, match=message):
        mean_ranks(errors)


@pytest.mark.slow
def test_intervals_of_effects_hold_the_truth_with_few_seeds() -> None:
    rng, held = np.random.default_rng(4), 0
    for _ in range(300):
        row = effect_sizes(rng.normal(size=(2, 2)) + np.array([[0.0], [3.0]])).loc[1]
        held += row["low"] <= 3.0 <= row["high"]
    assert held >= 273  # 285 are expected of 95 %
