"""Intervals that hold at once: against Dunnett's, Tukey's and simulation."""

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.mixed import Estimates, estimate, fit
from analysis.statistics.simultaneous import together


def several(k: int, *, df: float, correlation: float) -> Estimates:
    shared = np.full((k, k), correlation)
    np.fill_diagonal(shared, 1.0)
    return Estimates(
        value=np.linspace(0, 3, k), error=np.ones(k), df=np.full(k, df), correlation=shared
    )


def test_one_comparison_is_student_s() -> None:
    found = together(several(1, df=10, correlation=0.0))
    assert found.reach[0] == pytest.approx(stats.t.ppf(0.975, 10), rel=0.02)


@pytest.mark.parametrize(("k", "df", "expected"), [(3, 10, 2.76), (5, 20, 2.74), (4, 60, 2.51)])
def test_comparisons_with_one_control_are_dunnett_s(k: int, df: int, expected: float) -> None:
    """Two-sided 5 % points of Dunnett (1964), Biometrics 20, table II: correlation 0.5."""
    estimates = several(k, df=df, correlation=0.5)
    assert together(estimates).reach[0] == pytest.approx(expected, abs=0.05)


def test_all_pairs_are_tukey_s() -> None:
    rng = np.random.default_rng(0)
    names = [f"n{i}" for i in range(5) for _ in range(6)]
    seeds = [j for _ in range(5) for j in range(6)]
    model = fit(names, seeds, rng.normal(size=30).tolist())
    pairs = [{f"n{i}": 1.0, f"n{j}": -1.0} for i in range(5) for j in range(i)]
    estimates = estimate(model, pairs)
    critical = together(estimates).reach / estimates.error
    expected = stats.studentized_range.ppf(0.95, 5, model.df) / np.sqrt(2)
    assert critical == pytest.approx(np.full(10, expected), rel=0.02)


def test_interval_and_p_agree_and_the_same_is_always_the_same() -> None:
    estimates = several(6, df=12, correlation=0.3)
    found = together(estimates)
    away = np.abs(estimates.value) > found.reach
    assert ((found.p < 0.05) == away).all()
    again = together(estimates)
    assert (again.p == found.p).all()
    assert (np.diff(found.p) <= 0).all(), "farther out is less probable"


def test_what_has_no_error_is_left_aside() -> None:
    estimates = Estimates(
        value=np.array([1.0, 2.0]), error=np.array([np.nan, 0.5]), df=np.array([4.0, 4.0]),
        correlation=np.array([[np.nan, np.nan], [np.nan, 1.0]]),
    )  # fmt: skip
    found = together(estimates)
    assert np.isnan(found.reach[0])
    assert np.isnan(found.p[0])
    assert found.reach[1] == pytest.approx(0.5 * stats.t.ppf(0.975, 4), rel=0.03)


@pytest.mark.parametrize(
    ("networks", "seeds"),
    [
        (5, 3),  # the quickest of them
        *(pytest.param(*case, marks=pytest.mark.slow) for case in ((6, 4), (8, 3))),
    ],
)
def test_of_equal_networks_few_studies_tell_any_two_apart(networks: int, seeds: int) -> None:
    """Also where some of them, by chance, hardly vary: each may have a spread of its own."""
    rng, claimed, studies = np.random.default_rng(2), 0, 100
    names = [f"n{i}" for i in range(networks) for _ in range(seeds)]
    repeats = [*range(seeds)] * networks
    pairs = [{f"n{i}": 1.0, f"n{j}": -1.0} for i in range(networks) for j in range(i)]
    for _ in range(studies):
        model = fit(names, repeats, rng.normal(size=networks * seeds).tolist())
        claimed += bool((together(estimate(model, pairs)).p < 0.05).any())
    assert claimed <= 11  # 5 are expected of 5 %; more are one in two hundred
