"""Variance components against their formula, the ceiling against a simulation of the model."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from analysis.statistics.components import between, ceiling, components
from analysis.statistics.intervals import FloatArray, StatisticsError


def trials_of(
    groups: Sequence[Sequence[float] | FloatArray],
) -> tuple[list[str], list[int], list[float]]:
    """Networks, seeds and scores of rows of scores, one row a network."""
    rows = [(f"n{i}", j, float(x)) for i, row in enumerate(groups) for j, x in enumerate(row)]
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]


def test_components_of_a_known_table() -> None:
    """Of three networks and two seeds, by the analysis of variance."""
    found = components(*trials_of([[9.0, 11.0], [15.0, 15.0], [19.0, 21.0]]))
    frame = pd.DataFrame(
        dict(zip("nsy", trials_of([[9, 11], [15, 15], [19, 21]]), strict=True))
    )
    table = anova_lm(ols("y ~ C(n) + C(s)", frame).fit())
    squares = table["mean_sq"]
    assert found.noise == pytest.approx(squares["Residual"])
    assert found.networks == pytest.approx((squares["C(n)"] - squares["Residual"]) / 2)
    assert found.ratio == pytest.approx(table.loc["C(n)", "F"])
    assert (found.each, found.df_networks, found.df_noise) == (2, 2, 2)
    assert components(*trials_of([[1.0, 9.0], [9.0, 1.5]])).networks == 0


def test_what_a_seed_adds_to_all_networks_changes_no_rank() -> None:
    rng = np.random.default_rng(1)
    table = rng.normal(0, 1, (16, 1)) + rng.normal(0, 0.3, (16, 3))
    shifted = table + np.array([0.0, 40.0, -7.0])
    one, other = ceiling(*trials_of(table)), ceiling(*trials_of(shifted))
    assert other.estimate == pytest.approx(one.estimate)
    assert (other.low, other.high) == (pytest.approx(one.low), pytest.approx(one.high))


def test_the_ceiling_is_the_tau_of_two_sets_of_seeds() -> None:
    """Networks of variance 4, seeds of 6, three each: r = 4 / (4 + 2); 200 networks a time."""
    rng, taus, ceilings = np.random.default_rng(0), [], []
    for _ in range(40):
        means = rng.normal(0, 2, (200, 1))
        sets = [means + rng.normal(0, np.sqrt(6), (200, 3)) for _ in range(2)]
        taus.append(stats.kendalltau(*(one.mean(axis=1) for one in sets)).statistic)
        ceilings.append(ceiling(*trials_of(sets[0])).estimate)
    truth = 2 / np.pi * np.arcsin(2 / 3)
    assert np.mean(taus) == pytest.approx(truth, abs=0.02)
    assert np.mean(ceilings) == pytest.approx(truth, abs=0.02)


def test_networks_that_do_not_differ_have_a_ceiling_of_nothing() -> None:
    found = ceiling(*trials_of([[1.0, 9.0], [9.0, 1.5], [5.0, 6.0]]))
    assert (found.estimate, found.low) == (0, 0)
    same = ceiling(*trials_of([[1.0, 2.0], [2.0, 1.0]]))
    assert (same.estimate, same.low, same.high) == (0, 0, 0)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([[1.0], [2.0]], r"2 network\(s\) with 2 trial\(s\) in all do not tell networks"),
        ([[1.0, 2.0]], r"1 network\(s\) with 2 trial"),
        ([[1.0, 3.0], [2.0, 4.0]], "they differ by network and seed alone"),
    ],
)
def test_what_says_nothing_of_seeds_is_refused(groups: list[list[float]], message: str) -> None:
    with pytest.raises(StatisticsError, match=message):
        ceiling(*trials_of(groups))


def test_two_noisy_scores_of_the_same_truth_agree_as_far_as_both_ceilings_let_them() -> None:
    rng = np.random.default_rng(3)
    true = rng.normal(size=(2000, 1))
    quiet, loud = (true + noise * rng.normal(size=(2000, 2)) for noise in (0.3, 1.2))
    ceilings = [stats.kendalltau(*one.T).statistic for one in (quiet, loud)]
    found = stats.kendalltau(quiet[:, 0], loud[:, 0]).statistic
    assert between(*ceilings) == pytest.approx(found, abs=0.03)
    assert between(1.0, 1.0) == pytest.approx(1)
    assert between(0.8, 0.0) == 0
