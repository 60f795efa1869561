"""Sums over seeds, against scipy's t-test of one sample, and their coverage."""

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.by_seed import estimate_by_seed


def test_an_estimate_is_scipy_s_t_test_of_the_sums() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(3, 5))
    names, seeds = np.repeat(["a", "b", "fixed"], 5), np.tile(np.arange(5), 3)
    scores[2] = 0.0
    weights = {"a": 0.5, "b": 0.5, "fixed": -1.0}
    found = estimate_by_seed(names.tolist(), seeds.tolist(), scores.ravel().tolist(), [weights])
    theirs = stats.ttest_1samp(scores[:2].mean(axis=0), 0.0)
    low, high = theirs.confidence_interval(0.95)
    assert found.value[0] == pytest.approx(scores[:2].mean())
    assert found.p()[0] == pytest.approx(theirs.pvalue)
    assert found.reach(0.95)[0] == pytest.approx((high - low) / 2)


def test_seeds_that_a_network_lacks_are_left_out_of_its_sums_alone() -> None:
    names = ["a", "a", "a", "b", "b"]
    found = estimate_by_seed(
        names, [0, 1, 2, 0, 1], [1.0, 2.0, 6.0, 1.0, 1.5],
        [{"a": 1.0, "b": 0.0}, {"a": 1.0, "b": -1.0}, {"b": 1.0, "c": 1.0}],
    )  # fmt: skip
    assert found.value[:2].tolist() == [3.0, 0.25]
    assert found.df[:2].tolist() == [2.0, 1.0]
    assert np.isnan(found.value[2]), "there is no trial of c"


def test_without_a_second_seed_or_a_spread_there_is_no_error() -> None:
    one = estimate_by_seed(["a"], [0], [1.0], [{"a": 1.0}])
    same = estimate_by_seed(["a", "a"], [0, 1], [1.0, 1.0], [{"a": 1.0}])
    assert (one.value[0], same.value[0]) == (1.0, 1.0)
    assert np.isnan(one.error[0])
    assert np.isnan(same.error[0])


def test_intervals_hold_whatever_a_seed_adds_to_all_networks() -> None:
    """The truth is 0 in each of 1,000 studies of three networks and four seeds."""
    rng, studies = np.random.default_rng(0), 1000
    scores = rng.normal(size=(studies, 3, 4)) + 2 * rng.normal(size=(studies, 1, 4))
    names = [f"{one}{study}" for study in range(studies) for one in "abc"]
    weights = [{f"{one}{study}": 1 / 3 for one in "abc"} for study in range(studies)]
    found = estimate_by_seed(
        np.repeat(names, 4).tolist(),
        [*range(4)] * (3 * studies),
        scores.ravel().tolist(),
        weights,
    )
    held = (np.abs(found.value) <= found.reach(0.95)).mean()
    assert 0.935 <= held <= 0.965
