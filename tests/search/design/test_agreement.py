"""Kendall's tau_b and its interval against scipy and against what an interval promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from search.design.agreement import agreement

SCORES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=4, max_size=15)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(SCORES)
def test_it_is_scipy_s_tau_b(scores: list[tuple[int, int]]) -> None:
    early, late = np.array(scores, dtype=float).T
    found = agreement(early, late, seed=0)
    assert found.tau == pytest.approx(kendalltau(early, late).statistic, nan_ok=True)
    assert np.isnan(found.tau) or -1 - 1e-9 <= found.low <= found.high <= 1 + 1e-9


def test_its_interval_holds_the_true_tau_about_as_often_as_it_says() -> None:
    """Of 100 normal samples of 20 networks, tau = 2/pi asin(0.7): 90 %, 80 to 98 at 3 sd."""
    rng = np.random.default_rng(0)
    true, inside = 2 / np.pi * np.arcsin(0.7), 0
    for seed in range(100):
        early, late = rng.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], 20).T
        found = agreement(early, late, seed=seed)
        inside += found.low <= true <= found.high
    assert 80 <= inside <= 98


def test_the_same_seed_says_the_same() -> None:
    early, late = np.random.default_rng(1).normal(size=(2, 12))
    assert agreement(early, late, seed=3) == agreement(early, late, seed=3)
