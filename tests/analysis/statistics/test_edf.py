"""EDFs, their bands and tests against scipy, closed forms, and simulated known laws."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.statistics.complexity import bootstrap_band
from analysis.statistics.edf import (
    complexity_bins,
    complexity_weights,
    dkw_band,
    edf,
    ks,
)
from analysis.statistics.intervals import FloatArray, StatisticsError

ERRORS = st.lists(st.integers(0, 200).map(lambda e: e / 2), min_size=1, max_size=30)
SIZES = 10 ** (9 + np.arange(5) / 4)  # MACs; each falls into its own of five bins
RARER = (0.35, 0.25, 0.2, 0.12, 0.08)  # how often a space holds each of them
EVEN = (0.2,) * 5


def space(
    rng: np.random.Generator, n: int, shares: tuple[float, ...], gain: float = 1.0
) -> tuple[FloatArray, FloatArray]:
    """MACs and errors; an error is normal around 30 less `gain` for each step in size."""
    size = rng.choice(5, n, p=shares)
    return SIZES[size], 30 - gain * size + rng.standard_normal(n)


def law_at_equal_complexity(error: FloatArray, gain: float = 1.0) -> FloatArray:
    """All five sizes count alike, however often a space holds them."""
    return np.mean([stats.norm.cdf(error - 30 + gain * size) for size in range(5)], axis=0)


def holds(band: pd.DataFrame, law: Callable[[FloatArray], FloatArray]) -> bool:
    """Whether the truth is inside at each error and, before it, inside the row above."""
    truth = law(band["error"].to_numpy())
    low, high = band["low"].to_numpy(), band["high"].to_numpy()
    inside = (low <= truth).all() and (truth <= high).all()
    return bool(inside and (truth[1:] <= high[:-1]).all() and (low[:-1] <= truth[1:]).all())


def test_an_edf_by_hand() -> None:
    plain = edf([3.0, 1.0, 3.0, 2.0])
    assert plain.to_dict("list") == {"error": [1, 2, 3], "fraction": [0.25, 0.5, 1.0]}
    weighted = edf([3.0, 1.0, 3.0, 2.0], [1, 5, 3, 1])
    assert weighted["fraction"].tolist() == pytest.approx([0.5, 0.6, 1.0])


@given(ERRORS)
def test_an_edf_without_weights_is_scipy_s(errors: list[float]) -> None:
    ours, theirs = edf(errors), stats.ecdf(errors).cdf
    assert ours["error"].tolist() == theirs.quantiles.tolist()
    assert ours["fraction"].tolist() == pytest.approx(theirs.probabilities.tolist())


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 1e6)), min_size=1, max_size=30))
def test_an_edf_rises_and_ends_at_one(rows: list[tuple[float, float]]) -> None:
    errors, weights = zip(*rows, strict=True)
    weights = (1.0, *weights[1:])
    found = edf(errors, weights)
    assert found["error"].is_monotonic_increasing
    assert found["error"].is_unique
    assert found["fraction"].is_monotonic_increasing
    assert found["fraction"].iloc[-1] == 1
    for error, fraction in found.itertuples(index=False):
        below = sum(w for e, w in zip(errors, weights, strict=True) if e <= error)
        assert fraction == pytest.approx(below / sum(weights))


@settings(max_examples=25)
@given(
    st.lists(st.floats(1e6, 1e11), min_size=60, max_size=120),
    st.lists(st.floats(1e6, 1e11), min_size=60, max_size=120),
)
def test_every_bin_counts_alike_in_every_space(a: list[float], b: list[float]) -> None:
    try:
        both = complexity_bins([a, b])
    except StatisticsError:
        return
    shared = both[0].max() + 1
    for macs, bins in zip((a, b), both, strict=True):
        weights = complexity_weights(bins)
        assert weights.sum() == pytest.approx(1)
        totals = pd.Series(weights).groupby(bins).sum()
        assert totals.tolist() == pytest.approx([1 / shared] * shared)
        dearer = np.argsort(macs)
        assert (np.diff(bins[dearer]) >= 0).all()


def test_bins_are_of_one_width_on_the_log_axis() -> None:
    cheap, dear = complexity_bins([[1e6, 9e6, 11e6, 1e8], [2e6, 99e6]], bins=2)
    assert (cheap.tolist(), dear.tolist()) == ([0, 0, 1, 1], [0, 1])
    assert complexity_weights(np.array([0, 0, 0, 1])).tolist() == pytest.approx(
        [1 / 6, 1 / 6, 1 / 6, 1 / 2]
    )


def test_the_number_of_bins_is_the_most_with_five_networks_in_each() -> None:
    macs = np.geomspace(1e6, 1e9, 40)
    (found,) = complexity_bins([macs])
    assert np.bincount(found).tolist() == [5] * 8
    (one,) = complexity_bins([[4e9] * 3])
    assert one.tolist() == [0, 0, 0]


def test_equal_complexity_undoes_what_a_space_holds_often() -> None:
    """Two spaces of one law, one with few dear networks: only weighted are they the same."""
    rng = np.random.default_rng(0)
    (few_macs, few), (even_macs, even) = (space(rng, 20_000, s) for s in (RARER, EVEN))
    bins = complexity_bins([few_macs, even_macs], bins=5)
    at = np.linspace(22, 33, 50)
    for errors, own in zip((few, even), bins, strict=True):
        found = edf(errors, complexity_weights(own))
        read = np.interp(at, found["error"], found["fraction"])
        # 20,000 networks, the rarest size a 12th of them: within 4 sigma of 0.4 %
        assert read == pytest.approx(law_at_equal_complexity(at), abs=0.02)
    assert ks(few, even).statistic > 0.1


def test_the_dkw_band_is_its_closed_form() -> None:
    assert dkw_band(100) == pytest.approx(0.136, abs=5e-4)
    assert dkw_band(500) == pytest.approx(0.061, abs=5e-4)
    # with one network: F >= 1 - w and F <= w fail with chance 2 (1 - w)
    assert dkw_band(1, 1 - 2 * np.exp(-2)) == pytest.approx(1)


@pytest.mark.parametrize("n", [20, pytest.param(100, marks=pytest.mark.slow)])
def test_at_least_95_percent_of_dkw_bands_hold_the_whole_law(n: int) -> None:
    """Conservative for every n; 1.4 % is two sigma of 1000 simulations."""
    draws, width = np.random.default_rng(n).random((1000, n)), dkw_band(n)
    held = [
        stats.ks_1samp(d, stats.uniform.cdf, method="asymp").statistic <= width for d in draws
    ]
    assert 0.936 <= np.mean(held) <= 0.979


@pytest.mark.parametrize(
    ("n", "shares", "gain"),
    [
        pytest.param(150, RARER, 1.0, id="uneven"),
        pytest.param(150, EVEN, 0.0, id="size-is-nothing", marks=pytest.mark.slow),
        pytest.param(300, RARER, 2.0, id="size-is-much", marks=pytest.mark.slow),
    ],
)
def test_95_percent_of_weighted_bands_hold_the_whole_law(
    n: int, shares: tuple[float, ...], gain: float
) -> None:
    rng, held = np.random.default_rng(0), 0
    for _ in range(100):
        macs, errors = space(rng, n, shares, gain)
        (bins,) = complexity_bins([macs], bins=5)
        band = bootstrap_band(errors, rng=rng, bins=bins, resamples=400)
        held += holds(band, lambda e: law_at_equal_complexity(e, gain))
    assert held / 100 >= 0.9  # 2.3 sigma below 95 %


def test_95_percent_of_bands_without_weights_hold_the_whole_law() -> None:
    rng, held = np.random.default_rng(0), 0
    for _ in range(100):
        band = bootstrap_band(rng.standard_normal(100), rng=rng, resamples=400)
        held += holds(band, stats.norm.cdf)
    assert held / 100 >= 0.9  # 2.3 sigma below 95 %


def test_a_band_stands_around_its_curve() -> None:
    """Without weights its width is Kolmogorov's; a quantile of 4000 is within 3 %."""
    errors = np.random.default_rng(0).normal(30, 2, 400)
    band = bootstrap_band(errors, rng=np.random.default_rng(1), resamples=4000)
    pd.testing.assert_frame_equal(band[["error", "fraction"]], edf(errors))
    inner = band[(band["low"] > 0) & (band["high"] < 1)]
    width = stats.kstwo.ppf(0.95, 400)
    assert (inner["high"] - inner["fraction"]).to_numpy() == pytest.approx(width, rel=0.03)
    assert (inner["fraction"] - inner["low"]).to_numpy() == pytest.approx(width, rel=0.03)
    assert band["low"].between(0, 1).all()
    assert band["high"].between(0, 1).all()
    again = bootstrap_band(errors, rng=np.random.default_rng(1), resamples=4000)
    pd.testing.assert_frame_equal(again, band)


@settings(max_examples=40)
@given(ERRORS, ERRORS)
def test_the_distance_is_that_of_two_edfs(a: list[float], b: list[float]) -> None:
    at = np.array(a + b)
    between = stats.ecdf(a).cdf.evaluate(at) - stats.ecdf(b).cdf.evaluate(at)
    found = ks(a, b)
    assert found.statistic == pytest.approx(np.abs(between).max())
    assert 0 <= found.p <= 1


def test_the_chance_without_weights_is_scipy_s_and_ties_raise_no_warning() -> None:
    a, b = np.random.default_rng(0).normal(30, 1, (2, 40))
    assert ks(a, b).p == stats.ks_2samp(a, b).pvalue
    assert ks([0.0] * 5, [0.0] * 4 + [0.5]).p > 0.99


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rng: edf([1.0, 2.0], [1.0]), "errors and weights: 2 and 1 values do not pair"),
        (lambda rng: edf([1.0, 2.0], [0.0, 0.0]), "weights: from 0.0 to 0.0"),
        (
            lambda rng: edf([1.0, 2.0], [2.0, -1.0]),
            "weights: from -1.0 to 2.0; none may be neg",
        ),
        (lambda rng: edf([]), "errors: shape"),
        (lambda rng: dkw_band(0), "n: 0 networks have no EDF"),
        (lambda rng: dkw_band(9, 95), "level: 95 is not between 0 and 1"),
        (lambda rng: complexity_bins([]), "groups: there is none"),
        (lambda rng: complexity_bins([[0.0, 1.0]]), "MACs: 0.0 is not positive"),
        (lambda rng: complexity_bins([[1.0, 2.0]], bins=0), "bins: 0 is not one or more"),
        (
            lambda rng: complexity_bins([[1e6, 2e7, 1e9], [1e6, 2e6, 1e9]], bins=3),
            r"space 1 has no network from 1e\+07 to 1e\+08 MACs \(bin 1 of 0 to 2\)",
        ),
        (
            lambda rng: complexity_bins([[1e6, 1e7], [1e8, 1e9]]),
            "even two leave fewer than 5 networks of a space in one of them",
        ),
        (
            lambda rng: bootstrap_band([1, 2, 3], rng=rng, bins=np.array([0, 0, 1])),
            r"bin 1 holds 1 network\(s\), and no spread can be seen in it",
        ),
        (
            lambda rng: bootstrap_band([1, 2, 3], rng=rng, bins=np.array([0, 0])),
            "errors and bins: 3 and 2 values do not pair",
        ),
    ],
)
def test_numbers_that_have_no_statistic_are_refused(
    call: Callable[[np.random.Generator], object], message: str
) -> None:
    with pytest.raises(StatisticsError, match=message):
        call(np.random.default_rng(0))
