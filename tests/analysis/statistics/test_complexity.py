"""Populations at equal complexity: weights, bands that hold, and pairs that make no claim."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.statistics.complexity import bootstrap_band, neighbours
from analysis.statistics.edf import dkw_band, ks
from analysis.statistics.intervals import StatisticsError
from analysis.statistics.matched import matched_ks
from benchmarks.coverage.overlay import SIMULATIONS

MACS = st.lists(st.integers(1, 60).map(float), min_size=2, max_size=60)


@given(MACS)
def test_each_part_of_the_axis_counts_alike(macs: list[float]) -> None:
    weights, places = neighbours(macs)
    log = np.log(macs)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    assert np.bincount(places).min() >= 2
    order = np.argsort(log, kind="stable")
    assert (np.diff(places[order]) >= 0).all()
    for cost in set(macs):
        assert len({places[i] for i in range(len(macs)) if macs[i] == cost}) == 1
    lows = [log[places == place].min() for place in range(places.max() + 1)]
    highs = [log[places == place].max() for place in range(places.max() + 1)]
    middles = [(a + b) / 2 for a, b in zip(highs, lows[1:], strict=False)]
    widths = np.diff([log.min(), *middles, log.max()])
    shares = [weights[places == place].sum() for place in range(places.max() + 1)]
    if len(widths) > 1:
        assert shares == pytest.approx(list(widths / widths.sum()))


def test_evenly_spaced_networks_count_alike_in_all_but_the_ends() -> None:
    weights, places = neighbours(np.geomspace(1e6, 1e9, 50))
    assert np.bincount(places).tolist() == [5] * 10
    assert weights[5:45] == pytest.approx(np.full(40, 1 / 49))


def test_errors_that_are_all_equal_have_the_band_of_dkw() -> None:
    rng = np.random.default_rng(0)
    flat = bootstrap_band([7.0] * 40, rng=rng)
    assert flat["low"].iloc[0] == pytest.approx(1 - dkw_band(40))
    weights, places = neighbours(rng.uniform(1, 9, 40))
    row = bootstrap_band([7.0] * 40, rng=rng, bins=places, weights=weights).iloc[0]
    assert row["low"] < 1 - dkw_band(40), "uneven weights are worth fewer networks"


@pytest.mark.parametrize("name", SIMULATIONS)
def test_simulated_bands_hold_and_tests_claim_rarely(name: str) -> None:
    """4 sigma of 120 studies below 95 %; benchmarks/coverage has more."""
    rng = np.random.default_rng(0)
    assert np.mean([SIMULATIONS[name](rng) for _ in range(120)]) >= 0.87


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.integers(12, 40))
def test_pairs_of_equal_sizes_are_all_networks(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    macs = rng.uniform(1, 100, n)
    a, b = rng.normal(size=(2, n))
    found, pairs = matched_ks([a, b], [macs, macs], rng=rng, resamples=99)
    assert pairs == n
    assert 0 < found.p <= 1


def test_of_one_size_the_distance_is_that_of_ks() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=50), rng.normal(1.2, size=50)
    found, _ = matched_ks([a, b], [[5.0] * 50] * 2, rng=rng)
    assert found.statistic == pytest.approx(ks(a, b).statistic)
    assert found.p < 0.01
    assert stats.ks_2samp(a, b).pvalue < 0.01


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: neighbours([3.0]), r"MACs: 1 network\(s\), the cheapest 3; give two or more"),
        (lambda: neighbours([3.0, 0.0]), "the cheapest 0; give two or more above 0"),
        (
            lambda: matched_ks(
                [np.arange(20), np.arange(20)],
                [np.full(20, 1e6), np.full(20, 1e9)],
                rng=np.random.default_rng(0),
            ),
            "0 pairs of networks of equal complexity are fewer than 10; train networks of the",
        ),
    ],
)
def test_what_has_no_answer_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(StatisticsError, match=message):
        call()
