"""Bounds that hold at every look: their ratio is what integration says, looking is free."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from search.design.anytime import p_value, reach


def weighed(t: float, df: int, seeds: int) -> float:
    """How much likelier t is under a drawn effect, by integration over the effects."""

    def density(effect: float) -> float:
        noncentral = stats.nct.pdf(t, df, math.sqrt(seeds) * effect)
        return float(noncentral * stats.norm.pdf(effect, scale=math.sqrt(2)))

    return float(integrate.quad(density, -12, 12, limit=200)[0] / stats.t.pdf(t, df))


@pytest.mark.parametrize(("t", "df", "seeds"), [(2.5, 45, 4), (4.0, 7, 8), (-3.0, 3, 4)])
def test_the_ratio_is_that_of_the_integrated_likelihoods(t: float, df: int, seeds: int) -> None:
    assert p_value(t, df=df, seeds=seeds) == pytest.approx(1 / weighed(t, df, seeds), rel=1e-6)


def test_little_against_no_effect_is_not_counted_for_it() -> None:
    assert weighed(0.5, 15, 2) < 1
    assert p_value(0.5, df=15, seeds=2) == 1


@given(
    networks=st.integers(2, 40),
    seeds=st.integers(2, 60),
    level=st.sampled_from((0.8, 0.95, 0.99)),
)
def test_the_interval_leaves_out_0_where_p_says_so(
    networks: int, seeds: int, level: float
) -> None:
    df = (networks - 1) * (seeds - 1)
    ends = reach(df=df, seeds=seeds, level=level)
    assert ends > stats.t.ppf((1 + level) / 2, df), "a look more cannot make it narrower"
    if math.isfinite(ends):
        assert p_value(ends, df=df, seeds=seeds) == pytest.approx(1 - level, rel=1e-9)
    else:
        assert p_value(1e9, df=df, seeds=seeds) > 1 - level, "no t is far enough"


def test_too_few_seeds_bound_nothing() -> None:
    assert [math.isfinite(reach(df=n - 1, seeds=n)) for n in (2, 3, 4)] == [False, False, True]
    assert reach(df=0, seeds=1) == math.inf
    assert p_value(99.0, df=0, seeds=1) == 1
    assert math.isfinite(reach(df=15, seeds=2))


def missed(rng: np.random.Generator, *, networks: int, most: int, studies: int) -> float:
    """The share of studies in which any interval, of any look, leaves out the truth."""
    scores = rng.standard_normal((studies, networks, most))
    out = np.zeros(studies, dtype=bool)
    for seeds in range(2, most + 1):
        seen = scores[:, :, :seeds]
        rest = seen - seen.mean(axis=1, keepdims=True) - seen.mean(axis=2, keepdims=True)
        rest += seen.mean(axis=(1, 2), keepdims=True)
        df = (networks - 1) * (seeds - 1)
        error = np.sqrt((rest**2).sum(axis=(1, 2)) / df * 2 / seeds)
        away = np.abs((seen[:, 0] - seen[:, 1]).mean(axis=1)) / error
        out |= away > reach(df=df, seeds=seeds)
    return float(out.mean())


@pytest.mark.parametrize("networks", [2, 16])
def test_a_look_at_every_seed_misses_the_truth_in_no_more_than_5_percent(networks: int) -> None:
    rng = np.random.default_rng(networks)
    share = missed(rng, networks=networks, most=12, studies=4000)
    assert 0 < share <= 0.05


def test_the_same_looks_with_ordinary_intervals_would_miss_it_more_often() -> None:
    """So the test above can fail: p < 0.05 at any of eleven looks comes in some 20 %."""
    scores = np.random.default_rng(1).standard_normal((4000, 12))
    out = np.zeros(4000, dtype=bool)
    for seeds in range(2, 13):
        out |= stats.ttest_1samp(scores[:, :seeds], 0, axis=1).pvalue < 0.05
    assert out.mean() > 0.15
