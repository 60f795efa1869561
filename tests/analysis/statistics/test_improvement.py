"""How often one is better: as scipy's U, by hand, and intervals that hold."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.statistics.improvement import chance_of_pairs, chance_on_shared, profile
from analysis.statistics.intervals import StatisticsError
from benchmarks.coverage.improvement import SIMULATIONS

ERRORS = st.lists(st.integers(0, 20).map(float), min_size=5, max_size=20)


@settings(max_examples=40)
@given(ERRORS, ERRORS)
def test_of_pairs_it_is_scipys_u(a: list[float], b: list[float]) -> None:
    rng = np.random.default_rng(0)
    found, back = chance_of_pairs(a, b, rng=rng), chance_of_pairs(b, a, rng=rng)
    u = stats.mannwhitneyu(b, a).statistic  # pairs in which b has more
    assert found.estimate == pytest.approx(u / (len(a) * len(b)))
    assert found.estimate + back.estimate == pytest.approx(1)
    assert found.low is None or 0 <= found.low <= found.high <= 1  # type: ignore[operator]


def test_on_shared_networks_it_is_the_mean_over_networks() -> None:
    a = [[1.0, 2.0], [5.0], [3.0, 3.0], [9.0], [1.0]]
    b = [[2.0, 3.0], [5.0], [4.0, 1.0], [8.0], [2.0]]
    found = chance_on_shared(a, b, rng=np.random.default_rng(0))
    assert found.estimate == pytest.approx((3.5 / 4 + 0.5 + 0.5 + 0 + 1) / 5)
    assert found.n == 5


def test_where_all_say_the_same_there_is_no_interval() -> None:
    found = chance_of_pairs(np.arange(6), np.arange(10, 17), rng=np.random.default_rng(0))
    assert (found.estimate, found.low) == (1, None)


def test_a_profile_counts_each_network_alike() -> None:
    found = profile(
        [[1.0], [2.0, 4.0], [2.0], [5.0], [3.0]], [1, 2, 3, 4, 5], rng=np.random.default_rng(0)
    )
    assert found["share"].tolist() == pytest.approx([0.2, 0.5, 0.7, 0.8, 1.0])
    assert (found["low"] <= found["share"]).all()
    assert found["high"].le(1).all()
    few = profile([[1.0], [2.0]], [1, 2], rng=np.random.default_rng(0))
    assert few["low"].isna().all()


@pytest.mark.parametrize("name", SIMULATIONS)
def test_simulated_intervals_hold(name: str) -> None:
    """95 %; 150 studies are within 4 sigma of it. benchmarks/coverage has more."""
    rng = np.random.default_rng(0)
    assert np.mean([SIMULATIONS[name](rng) for _ in range(150)]) >= 0.88


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rng: chance_of_pairs([1] * 4, [1] * 9, rng=rng), "4 networks are fewer than 5"),
        (
            lambda rng: chance_on_shared([[1]] * 4, [[1]] * 4, rng=rng),
            "4 shared networks are fewer than 5; train more of the same networks in both",
        ),
        (lambda rng: chance_of_pairs([np.nan] * 5, [1] * 5, rng=rng), "is not finite"),
    ],
)
def test_refusals(call: Callable[[np.random.Generator], object], message: str) -> None:
    with pytest.raises(StatisticsError, match=message):
        call(np.random.default_rng(0))
