"""Statistics over networks against scipy, known laws, and how often they hold the truth."""

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.statistics.intervals import FloatArray, StatisticsError, t_interval
from analysis.statistics.resampling import (
    FEWEST_FOR_INTERVAL,
    best_range,
    best_shares,
    exact_p,
    hierarchical_bootstrap,
    rank_correlation,
)

SCORES = st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=3, max_size=12)


def mean_of_all(rows: list[FloatArray]) -> float:
    return float(np.concatenate(rows).mean())


def median_of_50_means(rows: list[FloatArray]) -> float:
    return float(np.sort(np.concatenate(rows).reshape(50, 3).mean(axis=1))[24:26].mean())


def two_sided(pairs: list[tuple[int, int]]) -> tuple[FloatArray, FloatArray]:
    a, b = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    assume(np.ptp(a) > 0 and np.ptp(b) > 0)
    return a, b


def test_over_single_seeds_the_bootstrap_of_a_mean_is_student_s_interval() -> None:
    """So it is for symmetric values; 1 / sqrt(20,000 * 0.02) is about 5 % of a tail."""
    values = np.random.default_rng(0).normal(20, 1, 25)
    ours = hierarchical_bootstrap(
        [[v] for v in values], mean_of_all, rng=np.random.default_rng(1), resamples=20_000
    )
    theirs = t_interval(values)
    assert (ours.estimate, ours.n) == (pytest.approx(theirs.estimate), 25)
    assert ours.high - ours.low == pytest.approx(theirs.high - theirs.low, rel=0.05)


def test_networks_keep_their_seeds_and_the_generator_decides() -> None:
    groups, seen = [[1.0, 2.0], [10.0], [100.0, 200.0, 300.0]], []

    def noted(rows: list[FloatArray]) -> float:
        seen.append([tuple(row) for row in rows])
        return mean_of_all(rows)

    intervals = {
        hierarchical_bootstrap(groups, noted, rng=np.random.default_rng(seed), resamples=50)
        for seed in (0, 0, 1)
    }
    assert len(intervals) == 2
    assert {row for rows in seen for row in rows} == {tuple(group) for group in groups}
    assert {len(rows) for rows in seen} == {3}


@pytest.mark.parametrize(
    ("between", "within", "statistic"),
    [(1.0, 0.3, mean_of_all), (0.0, 1.0, mean_of_all), (1.0, 0.3, median_of_50_means)],
    ids=["networks-differ", "only-seeds-differ", "median"],
)
@pytest.mark.slow
def test_95_percent_of_bootstrap_intervals_hold_the_truth(
    between: float, within: float, statistic: Callable[[list[FloatArray]], float]
) -> None:
    """50 networks of 3 seeds, 200 studies; the mean and the median of the law are 20."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(200):
        networks = rng.normal(20, between, (50, 1)) + rng.normal(0, within, (50, 3))
        found = hierarchical_bootstrap(list(networks), statistic, rng=rng, resamples=400)
        held += found.low <= 20 <= found.high
    assert held / 200 >= 0.89  # 4 sigma below 95 %


@settings(max_examples=40)
@given(SCORES)
def test_tau_and_its_jackknife_are_scipy_s(pairs: list[tuple[int, int]]) -> None:
    """Ties included; the jackknife by leaving each network out in turn."""
    a, b = two_sided(pairs)
    ours, n = rank_correlation(a, b), len(pairs)
    assert ours.estimate == pytest.approx(stats.kendalltau(a, b).statistic)
    kept = [np.delete(np.arange(n), i) for i in range(n)]
    few = n < FEWEST_FOR_INTERVAL
    if few or any(np.ptp(side[k]) == 0 for side in (a, b) for k in kept):
        assert ours.low is None
        return
    taus = np.array([stats.kendalltau(a[k], b[k]).statistic for k in kept])
    reach = stats.t.ppf(0.975, n - 1) * np.sqrt((n - 1) * taus.var())
    if reach < 1e-6:
        assert ours.low is None
    else:
        assert ours.low == pytest.approx(max(ours.estimate - reach, -1))
        assert ours.high == pytest.approx(min(ours.estimate + reach, 1))
        assert ours.low <= ours.estimate <= ours.high


@settings(max_examples=50)
@given(SCORES)
def test_tau_sees_order_only(pairs: list[tuple[int, int]]) -> None:
    a, b = two_sided(pairs)
    plain = rank_correlation(a, b)
    assert rank_correlation(np.exp(a), b**3) == plain
    turned = rank_correlation(a, -b)
    assert turned.estimate == pytest.approx(-plain.estimate)
    if plain.low is not None:
        assert (turned.low, turned.high) == pytest.approx((-plain.high, -plain.low))


def test_perfect_agreement_has_no_interval() -> None:
    rising = list(range(12))
    assert rank_correlation(rising, np.exp(rising)).text() == "1.00 (no interval)"


def test_seven_networks_have_no_interval_but_an_exact_p() -> None:
    a, b = [1.0, 2, 3, 4, 5, 6, 7], [2.0, 1, 3, 5, 4, 7, 6]
    assert rank_correlation(a, b).text() == "0.71 (no interval)"
    assert exact_p(a, b) == pytest.approx(0.030159, abs=1e-6)  # Kendall's table: S = 15, n = 7
    assert rank_correlation([*a, 8.0], [*b, 8.0]).low is not None
    assert exact_p(range(9), range(9)) is None


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=6))
@pytest.mark.slow
def test_p_counts_all_orders(pairs: list[tuple[int, int]]) -> None:
    """Ties or none: against scipy's tau of each order in turn."""
    a, b = two_sided(pairs)
    taus = np.array([stats.kendalltau(a, order).statistic for order in permutations(b)])
    strong = np.abs(taus) >= abs(stats.kendalltau(a, b).statistic) - 1e-9
    assert exact_p(a, b) == pytest.approx(strong.mean())


@pytest.mark.parametrize(
    ("networks", "correlation"),
    [
        (30, 0.8),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in ((20, 0.0), (20, 0.5), (50, 0.5), (50, 0.95))
        ),
    ],
)
def test_95_percent_of_intervals_hold_tau(networks: int, correlation: float) -> None:
    """Normal scores, whose tau is 2 / pi arcsin(correlation) (Kruskal 1958)."""
    rng, held, simulations = np.random.default_rng(networks), 0, 500
    truth = 2 / np.pi * np.arcsin(correlation)
    for a, noise in rng.standard_normal((simulations, 2, networks)):
        b = correlation * a + np.sqrt(1 - correlation**2) * noise
        found = rank_correlation(a, b)
        held += found.low <= truth <= found.high
    assert 0.92 <= held / simulations <= 0.98  # three sigma


def test_the_best_range_follows_its_law() -> None:
    """The best of m drawn of n ranks is above k with chance ((n - k) / n)^m.

    n = 100, m = 25: above 1 with 0.78, above 2 with 0.60 and above 3 with 0.47, above 13 with
    0.031 and above 14 with 0.023.
    """
    ranks = np.random.default_rng(0).permutation(np.arange(1, 101))
    found = best_range(ranks * 10, ranks / 7)
    assert (found.low, found.estimate, found.high) == (10, 30, 140)


def test_the_best_shares_are_what_regnet_draws() -> None:
    """Equal errors among them; 4 sigma of 100,000 draws."""
    rng = np.random.default_rng(0)
    errors = rng.integers(0, 6, 20)
    picks = rng.integers(20, size=(100_000, 5))
    best = picks[np.arange(100_000), errors[picks].argmin(axis=1)]
    drawn = np.bincount(best, minlength=20) / 100_000
    shares = best_shares(errors)
    assert shares.sum() == pytest.approx(1)
    assert np.abs(shares - drawn).max() < 4 * np.sqrt(0.25 / 100_000)


def test_the_best_range_is_that_of_the_values_of_good_networks() -> None:
    depth, error = np.array([20, 29, 38, 47] * 10), np.arange(40) % 4
    same = best_range(depth, error)
    assert (same.low, same.estimate) == (20, 20)
    one = best_range([7.0], [1.0])
    assert (one.low, one.estimate, one.high) == (7, 7, 7)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda rng: hierarchical_bootstrap([[1.0, 2.0]], mean_of_all, rng=rng),
            r"groups: 1 network\(s\) say nothing about others",
        ),
        (
            lambda rng: hierarchical_bootstrap([[1.0], [np.nan]], mean_of_all, rng=rng),
            r"group 1\[0\]: nan is not finite",
        ),
        (
            lambda rng: hierarchical_bootstrap(
                [[1.0], [2.0]], lambda rows: np.nan if rows[0] == rows[1] else 1.0, rng=rng
            ),
            r"statistic: not finite in \d+ of 2000 resamples",
        ),
        (lambda rng: rank_correlation([1, 2, 3], [5, 5, 5]), "second: all 3 values are 5.0"),
        (lambda rng: rank_correlation([1], [2]), "first: all 1 values are 1.0"),
        (lambda rng: exact_p([1, 2, 3], [5, 5, 5]), "second: all 3 values are 5.0"),
        (lambda rng: rank_correlation([1, 2, 3], [5, 6]), "scores: 3 and 2 values do not pair"),
        (lambda rng: rank_correlation([1, 2], [5, 6], level=0), "level: 0 is not between"),
        (lambda rng: best_range([1, 2], [3]), "2 and 1 values do not pair"),
        (lambda rng: best_range([1], [3], fraction=25), "fraction: 25 is not above 0"),
    ],
)
def test_numbers_that_have_no_statistic_are_refused(
    call: Callable[[np.random.Generator], object], message: str
) -> None:
    with pytest.raises(StatisticsError, match=message):
        call(np.random.default_rng(0))
