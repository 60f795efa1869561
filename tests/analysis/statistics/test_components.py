"""Variance components against their formula, the ceiling against a simulation of the model."""

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.components import ceiling, components
from analysis.statistics.intervals import StatisticsError


def test_components_of_a_known_table() -> None:
    """Mean squares of three networks of two seeds: 2 inside, 50 between; (50 - 2) / 2 = 24."""
    found = components([[9.0, 11.0], [14.0, 16.0], [19.0, 21.0]])
    assert (found.seeds, found.networks) == (pytest.approx(2), pytest.approx(24))
    assert (found.each, found.df_networks, found.df_seeds) == (2, 2, 3)
    assert components([[1.0, 9.0], [2.0, 8.0]]).networks == 0
    assert components([[1.0, 2.0], [5.0]]).each == pytest.approx(4 / 3)


def test_the_ceiling_is_the_tau_of_two_sets_of_seeds() -> None:
    """Networks of variance 4, seeds of 6, three each: r = 4 / (4 + 2); 200 networks a time."""
    rng, taus, ceilings = np.random.default_rng(0), [], []
    for _ in range(40):
        means = rng.normal(0, 2, (200, 1))
        sets = [means + rng.normal(0, np.sqrt(6), (200, 3)) for _ in range(2)]
        taus.append(stats.kendalltau(*(one.mean(axis=1) for one in sets)).statistic)
        ceilings.append(ceiling(list(sets[0])).estimate)
    truth = 2 / np.pi * np.arcsin(2 / 3)
    assert np.mean(taus) == pytest.approx(truth, abs=0.02)
    assert np.mean(ceilings) == pytest.approx(truth, abs=0.02)


def test_networks_that_do_not_differ_have_a_ceiling_of_nothing() -> None:
    found = ceiling([[1.0, 9.0], [2.0, 8.0], [1.5, 8.5]])
    assert (found.estimate, found.low) == (0, 0)
    same = ceiling([[1.0, 2.0], [1.0, 2.0]])
    assert (same.estimate, same.low, same.high) == (0, 0, 0)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([[1.0], [2.0]], r"2 network\(s\) with 2 seed\(s\) in all do not tell networks"),
        ([[1.0, 2.0]], r"1 network\(s\) with 2 seed"),
        ([[1.0, 1.0], [2.0, 2.0]], "the seeds of each network are all equal"),
    ],
)
def test_what_says_nothing_of_seeds_is_refused(groups: list[list[float]], message: str) -> None:
    with pytest.raises(StatisticsError, match=message):
        ceiling(groups)
