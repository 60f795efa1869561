"""The best of k against every choice of k, and how often its interval holds the truth."""

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.statistics.best_of import (
    best_of_orders,
    expected_best,
    expected_best_band,
    sizes,
)
from analysis.statistics.intervals import StatisticsError
from benchmarks.coverage.reader import SIMULATIONS

ERRORS = st.lists(st.integers(0, 20), min_size=1, max_size=7)


@settings(deadline=None)
@given(ERRORS)
def test_the_best_of_k_is_the_mean_over_all_choices(errors: list[int]) -> None:
    counts = list(range(1, len(errors) + 1))
    every = [np.mean([min(c) for c in combinations(errors, k)]) for k in counts]
    found = expected_best(errors, counts)
    assert found == pytest.approx(every)
    assert (np.diff(found) <= 1e-9).all()


def test_it_is_unbiased_where_drawing_with_replacement_is_not() -> None:
    """Of uniform errors the best of k is 1 / (k + 1) on average; 5 sigma of 4000 samples."""
    samples = np.random.default_rng(0).random((4000, 10))
    ours = np.array([expected_best(row, [8])[0] for row in samples])
    drawn = (1 - np.arange(11) / 10) ** 8  # Dodge et al.'s formula
    theirs = np.sort(samples, axis=1) @ -np.diff(drawn)
    error = 5 * ours.std() / np.sqrt(4000)
    assert abs(ours.mean() - 1 / 9) < error < theirs.mean() - 1 / 9


@pytest.mark.parametrize("n", [1, 2, 3, 5, 6])
def test_the_best_over_orders_is_counted(n: int) -> None:
    orders = list(permutations(range(n)))
    for row in best_of_orders(n, range(1, n + 1), level=0.8).itertuples():
        best = np.array([min(order[: row.k]) for order in orders])
        assert (row.low, row.high) == tuple(
            np.quantile(best, [0.1, 0.9], method="inverted_cdf")
        )


def test_the_interval_ends_at_a_tenth_of_the_networks() -> None:
    errors = np.random.default_rng(0).normal(size=40)
    found = expected_best_band(errors, sizes(40), rng=np.random.default_rng(1))
    assert found["low"].notna().tolist() == [True] * 4 + [False] * 36
    assert found["expected"].iloc[-1] == pytest.approx(errors.min())
    assert expected_best_band([1.0], [1], rng=np.random.default_rng(0))["low"].isna().all()
    assert sizes(3) == [1, 2, 3]
    assert (len(sizes(10_000)) <= 62, sizes(10_000)[-1]) == (True, 10_000)


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("expected best", 0.83),
        ("noise ceiling", 0.87),
        pytest.param("hedges g", 0.87, marks=pytest.mark.slow),
    ],
)
def test_intervals_hold_the_truth(name: str, least: float) -> None:
    """4 sigma of 120 studies at 95 % are 8 points; that of the best is known to hold less."""
    rng = np.random.default_rng(0)
    assert np.mean([SIMULATIONS[name](rng) for _ in range(120)]) > least


def test_counts_beyond_the_networks_are_refused() -> None:
    with pytest.raises(StatisticsError, match="from 1 to 4 of 3 networks; give numbers from"):
        expected_best([1, 2, 3], [1, 4])
