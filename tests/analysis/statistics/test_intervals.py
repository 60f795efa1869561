"""Intervals and tests against scipy, closed forms, and how often they hold a known truth."""

from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.statistics.intervals import (
    Interval,
    StatisticsError,
    holm,
    paired,
    pooled_interval,
    t_interval,
    unpaired,
)

# Errors in percent, as they are printed: two digits, so that differences are noise or none.
ERRORS = st.integers(0, 10_000).map(lambda e: e / 100)
SEEDS = st.lists(ERRORS, min_size=2, max_size=8)


def coverage(intervals: Iterable[Interval], truth: float) -> float:
    return float(np.mean([i.low <= truth <= i.high for i in intervals]))


def differing(values: list[float]) -> list[float]:
    assume(np.ptp(values) > 0)
    return values


@given(SEEDS.map(differing), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_interval_of_a_mean_is_student_s(values: list[float], level: float) -> None:
    ours = t_interval(values, level=level)
    theirs = stats.ttest_1samp(values, 0).confidence_interval(level)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    assert ours.low <= ours.estimate <= ours.high
    assert (ours.estimate, ours.n, ours.level) == (
        pytest.approx(np.mean(values)), len(values), level
    )  # fmt: skip


def test_one_seed_is_a_point_without_interval() -> None:
    interval = t_interval([83.02])
    assert (interval.estimate, interval.low, interval.high) == (83.02, None, None)
    assert interval.text(".2f", "%") == "83.02 % (one seed)"


def test_equal_values_give_no_interval() -> None:
    """0.1 + 0.2 and 0.3 differ by rounding only."""
    assert t_interval([0.1 + 0.2, 0.3]).low is None
    assert t_interval([4.0, 4.0, 4.0]).text() == "4.00 (no interval)"


def test_an_interval_is_written_in_full() -> None:
    interval = Interval(estimate=83.021, low=82.709, high=83.333, n=5, level=0.95)
    assert interval.text() == "83.02 [82.71, 83.33]"
    assert interval.text(".1f", "%") == "83.0 % [82.7, 83.3]"


@settings(max_examples=40)
@given(st.lists(SEEDS, min_size=2, max_size=5), st.sampled_from([0.9, 0.95]))
def test_the_pooled_spread_is_that_of_the_analysis_of_variance(
    groups: list[list[float]], level: float
) -> None:
    """The mean square within, got from scipy's F and the mean square between."""
    assume(any(np.ptp(g) > 0 for g in groups))
    means = [np.mean(g) for g in groups]
    grand, df = np.mean(np.concatenate(groups)), sum(len(g) - 1 for g in groups)
    between = sum(len(g) * (m - grand) ** 2 for g, m in zip(groups, means, strict=True))
    assume(between > 1e-6)
    within = between / (len(groups) - 1) / stats.f_oneway(*groups).statistic
    for group, mean, ours in zip(
        groups, means, pooled_interval(groups, level=level), strict=True
    ):
        theirs = stats.t.interval(level, df, loc=mean, scale=np.sqrt(within / len(group)))
        assert (ours.low, ours.high) == pytest.approx(theirs, rel=1e-6, abs=1e-6)
        assert ours.n == len(group)


def test_one_value_borrows_the_spread_of_the_others() -> None:
    single, double = pooled_interval([[5.0], [1.0, 3.0]])
    # s = sqrt(2) with one degree of freedom, t = 12.706
    assert single.high - 5.0 == pytest.approx(12.706 * np.sqrt(2), rel=1e-4)
    assert double.high - 2.0 == pytest.approx(12.706, rel=1e-4)
    assert [i.low for i in pooled_interval([[5.0], [1.0]])] == [None, None]
    assert [i.low for i in pooled_interval([[5.0, 5.0], [1.0, 1.0]])] == [None, None]


@settings(max_examples=40)
@given(st.lists(st.tuples(ERRORS, ERRORS), min_size=2, max_size=8))
def test_the_paired_comparison_is_scipy_s(pairs: list[tuple[float, float]]) -> None:
    a, b = (np.array(side) for side in zip(*pairs, strict=True))
    assume(np.ptp(np.round(a - b, 2)) > 0)
    ours, theirs = paired(a, b), stats.ttest_rel(a, b)
    ends = theirs.confidence_interval()
    assert ours.p == pytest.approx(theirs.pvalue, abs=1e-12)
    assert (ours.difference.low, ours.difference.high) == pytest.approx((ends.low, ends.high))
    assert ours.difference.low <= ours.difference.estimate <= ours.difference.high
    assert ours.difference.n == len(pairs)


@settings(max_examples=40)
@given(SEEDS.map(differing), SEEDS.map(differing))
def test_the_unpaired_comparison_is_welch_s(a: list[float], b: list[float]) -> None:
    ours, theirs = unpaired(a, b, level=0.9), stats.ttest_ind(a, b, equal_var=False)
    ends = theirs.confidence_interval(0.9)
    assert ours.p == pytest.approx(theirs.pvalue, abs=1e-12)
    assert (ours.difference.low, ours.difference.high) == pytest.approx((ends.low, ends.high))
    assert ours.difference.n == len(a) + len(b)


def test_one_side_without_spread_is_a_known_mean() -> None:
    """Then Welch is the test of the other side alone."""
    ours, theirs = unpaired([1.0, 2.0, 4.0], [3.0, 3.0, 3.0]), stats.ttest_1samp([1, 2, 4], 3)
    assert ours.p == pytest.approx(theirs.pvalue)


@pytest.mark.parametrize(
    ("compare", "a", "b", "difference"),
    [
        (paired, [81.2], [81.0], 0.2),
        (paired, [81.2, 82.3, 83.1], [81.0, 82.1, 82.9], 0.2),  # 0.2 but for rounding
        (paired, [81.2, 82.3], [81.2, 82.3], 0.0),
        (unpaired, [81.2], [81.0, 81.1], 0.15),
        (unpaired, [2.0, 2.0], [1.0, 1.0, 1.0], 1.0),
    ],
)
def test_values_that_cannot_tell_give_neither_interval_nor_p(
    compare: Callable[..., object], a: list[float], b: list[float], difference: float
) -> None:
    """And no warning: pytest turns every one into an error."""
    found = compare(a, b)
    assert found.difference.estimate == pytest.approx(difference, abs=1e-9)
    assert (found.difference.low, found.difference.high, found.p) == (None, None, None)


def test_holm_s_adjustment_by_hand() -> None:
    """0.005 x 4, 0.01 x 3, 0.03 x 2, and 0.04 x 1, which may not fall below 0.06."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.7, 0.6]) == [1.0, 1.0]
    assert holm([0.03]) == [0.03]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_the_order_and_its_bounds(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    by_p = [a for _, a in sorted(zip(p_values, adjusted, strict=True))]
    assert by_p == sorted(by_p)
    for p, a in zip(p_values, adjusted, strict=True):
        assert p <= a <= min(1, p * len(p_values))


@given(
    st.lists(st.integers(0, 1000).map(lambda p: p / 1000), max_size=8),
    st.permutations(range(8)),
)
def test_holm_rejects_what_the_stepwise_rule_rejects(
    p_values: list[float], order: list[int]
) -> None:
    """Holm 1979: go up the sorted p until the first above alpha / (m + 1 - k)."""
    m = len(p_values)
    p_values = [p_values[i] for i in order if i < m]
    rejected = set()
    for k, place in enumerate(sorted(range(m), key=p_values.__getitem__)):
        if p_values[place] * (m - k) > 0.05:
            break
        rejected.add(place)
    assert {i for i, p in enumerate(holm(p_values)) if p <= 0.05} == rejected


def test_one_false_finding_among_six_comparisons_stays_rare() -> None:
    """Of p uniform under no effect, some is rejected in 5 % of 4000 studies: 3 sigma = 1 %."""
    studies = np.random.default_rng(0).random((4000, 6))
    assert np.mean([min(holm(p)) <= 0.05 for p in studies]) == pytest.approx(0.05, abs=0.0105)


# A truth of 95 % shows as 95 -+ 3 % (three sigma) in 500 simulations: no choice of the seed
# decides.


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_95_percent_of_t_intervals_hold_the_mean(seeds: int) -> None:
    draws = np.random.default_rng(seeds).normal(20, 0.3, (500, seeds))
    assert 0.92 <= coverage(map(t_interval, draws), 20) <= 0.98


def test_95_percent_of_pooled_intervals_hold_their_mean() -> None:
    """One of six networks, some with fewer seeds; each in its own place."""
    rng, sizes = np.random.default_rng(0), (1, 2, 3, 3, 3, 5)
    held = np.zeros(len(sizes))
    for _ in range(500):
        groups = [rng.normal(20 + i, 0.3, size) for i, size in enumerate(sizes)]
        for i, interval in enumerate(pooled_interval(groups)):
            held[i] += interval.low <= 20 + i <= interval.high
    assert (held / 500 >= 0.92).all(), held
    assert (held / 500 <= 0.98).all(), held


@pytest.mark.parametrize("seeds", [3, 5])
def test_95_percent_of_paired_intervals_hold_the_difference(seeds: int) -> None:
    """The seed moves both networks alike, by more than they differ."""
    rng, found = np.random.default_rng(seeds), []
    for _ in range(500):
        seed = rng.normal(0, 1, seeds)
        pair = (mean + seed + rng.normal(0, 0.2, seeds) for mean in (20, 19.5))
        found.append(paired(*pair))
    assert 0.92 <= coverage((f.difference for f in found), 0.5) <= 0.98


@pytest.mark.parametrize(
    ("sizes", "spreads"),
    [
        pytest.param((5, 5), (0.3, 0.3), marks=pytest.mark.slow),
        ((5, 8), (0.6, 0.2)),
    ],
)
def test_95_percent_of_welch_s_intervals_hold_the_difference(
    sizes: tuple[int, int], spreads: tuple[float, float]
) -> None:
    rng = np.random.default_rng(0)
    found = [
        unpaired(
            *(rng.normal(m, s, n) for m, s, n in zip((20, 19), spreads, sizes, strict=True))
        )
        for _ in range(500)
    ]
    assert 0.92 <= coverage((f.difference for f in found), 1) <= 0.98
    assert all((f.p < 0.05) == (f.difference.low > 0 or f.difference.high < 0) for f in found)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: t_interval([]), r"values: shape \(0,\) is not a row of one number or more"),
        (lambda: t_interval([[1.0, 2.0]]), r"shape \(1, 2\) is not a row"),
        (lambda: t_interval([1.0, np.nan]), r"values\[1\]: nan is not finite; leave out"),
        (
            lambda: t_interval([1.0, 2.0], level=95),
            "level: 95 is not between 0 and 1; write 0.95",
        ),
        (lambda: pooled_interval([]), "groups: there is none"),
        (lambda: paired([1.0, 2.0], [1.0]), "pairs: 2 and 1 values do not pair"),
        (lambda: unpaired([1.0, 2.0], [np.inf]), r"second\[0\]: inf is not finite"),
        (lambda: holm([0.1, np.nan]), r"p_values\[1\]: nan is not from 0 to 1"),
        (lambda: holm([1.5]), r"p_values\[0\]: 1.5 is not from 0 to 1"),
    ],
)
def test_numbers_that_have_no_statistic_are_refused(
    call: Callable[[], object], message: str
) -> None:
    with pytest.raises(StatisticsError, match=message):
        call()
