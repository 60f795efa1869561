"""Shrunken means: against a published example, statsmodels, and the best of many."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from analysis.statistics.intervals import StatisticsError
from analysis.statistics.mixed import fit
from analysis.statistics.shrinkage import (
    _PRIORS,
    _likelihood,
    _noise,
    probability_best,
    probability_on_front,
    shrink,
)

# Yields of dyestuff from six batches: Davies and Goldsmith (1972), table 6.4; `Dyestuff` of R's
# lme4, whose REML fit has variances 1764 of batches and 2451 of the rest, mean 1527.5.
DYESTUFF = {
    "A": [1545, 1440, 1440, 1520, 1580],
    "B": [1540, 1555, 1490, 1560, 1495],
    "C": [1595, 1550, 1605, 1510, 1560],
    "D": [1445, 1440, 1595, 1465, 1545],
    "E": [1595, 1630, 1515, 1635, 1625],
    "F": [1520, 1455, 1450, 1480, 1445],
}


def test_batches_of_dyestuff_are_drawn_to_their_mean() -> None:
    """By 0.78, as lme4 draws them; less surely known, and so a little less, here."""
    names = [name for name, row in DYESTUFF.items() for _ in row]
    model = fit(names, [0] * len(names), [v for row in DYESTUFF.values() for v in row])
    assert model.sigma**2 == pytest.approx(2451.25)
    assert model.df == 24
    found = shrink(model, rng=np.random.default_rng(0))
    kept = 1764.05 / (1764.05 + 2451.25 / 5)
    assert found.kept == pytest.approx(np.full(6, kept), abs=0.06)
    expected = 1527.5 + kept * (model.means - 1527.5)
    assert found.means == pytest.approx(expected, abs=6)


def test_means_are_those_of_statsmodels_mixed_model() -> None:
    """Networks at random, seeds fixed, some trials missing; enough networks to be sure of."""
    rng = np.random.default_rng(1)
    true = rng.normal(0, 2, size=60)
    rows = [
        (f"n{i}", j, true[i] + 0.5 * j + rng.normal())
        for i in range(60) for j in range(4) if j == i % 4 or rng.random() < 0.8
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["network", "seed", "score"])
    model = fit(frame["network"].tolist(), frame["seed"].tolist(), frame["score"].tolist())
    found = shrink(model, rng=rng)
    outside = smf.mixedlm("score ~ C(seed)", frame, groups=frame["network"]).fit(reml=True)
    effects = pd.Series(
        {name: float(one.iloc[0]) for name, one in outside.random_effects.items()}
    )
    ours = pd.Series(found.means, index=found.networks)
    away = (ours - ours.mean()) - (effects - effects.mean())
    assert away.abs().max() < 0.15


def test_the_best_of_equal_networks_is_worth_what_they_all_are() -> None:
    """Best of 60 equal networks x 3 seeds: 1.3 points too good; shrunken, hardly any left."""
    rng = np.random.default_rng(2)
    raw, worth, held = [], [], 0
    for _ in range(25):
        scores = rng.normal(0, 1, size=(60, 3))
        names = [f"n{i}" for i in range(60) for _ in range(3)]
        model = fit(names, list(range(3)) * 60, scores.ravel().tolist())
        found = shrink(model, rng=rng)
        best = int(model.means.argmin())
        raw.append(model.means[best])
        worth.append(found.means[best])
        held += found.low[best] <= 0 <= found.high[best]
    assert np.mean(raw) < -1.1
    assert np.mean(worth) > -0.35
    assert held >= 22


def test_variances_of_networks_are_as_likely_as_scipy_s_f_says() -> None:
    rng = np.random.default_rng(5)
    squares, freedom = rng.chisquare(3, size=12) * rng.gamma(2, size=12), np.full(12, 2.7)
    levels = np.array([0.5, 1.0, 2.0])
    found = _likelihood(squares, freedom, levels)
    expected = np.array(
        [
            [
                np.exp(stats.f.logpdf(squares / freedom, 2.7, prior, scale=level).sum())
                for level in levels
            ]
            for prior in _PRIORS
        ]
    )
    assert found == pytest.approx(expected / expected.sum(), rel=1e-4, abs=1e-12)


def test_noise_is_one_for_all_where_they_vary_alike_and_else_their_own() -> None:
    rng = np.random.default_rng(6)
    ratios = []
    for louder in (1.0, 4.0):
        loud = np.where(np.arange(40) < 10, louder, 1.0)[:, None]
        scores = rng.normal(size=(40, 1)) + loud * rng.normal(size=(40, 4))
        names = [f"n{i:02}" for i in range(40) for _ in range(4)]
        model = fit(names, list(range(4)) * 40, scores.ravel().tolist())
        drawn = np.median(_noise(model, 4000, rng=rng), axis=0)
        ratios.append(drawn[:10].mean() / drawn[10:].mean())
        if louder == 1:
            assert drawn == pytest.approx(np.full(40, model.sigma**2), rel=0.35)
    assert 0.7 < ratios[0] < 1.4
    assert ratios[1] > 5


def test_a_network_that_varies_more_is_less_surely_the_best() -> None:
    rng = np.random.default_rng(6)
    steady = rng.normal(size=(19, 4)) * 0.2 + np.linspace(10, 12, 19)[:, None]
    wild = np.array([[9.7, 14.0, 5.5, 9.6]])
    scores = np.concatenate([wild, steady])
    names = [f"n{i:02}" for i in range(20) for _ in range(4)]
    model = fit(names, list(range(4)) * 20, scores.ravel().tolist())
    assert model.means.argmin() == 0
    found = shrink(model, rng=rng)
    width = found.high - found.low
    assert width[0] > 3 * np.median(width[1:])
    assert found.kept[0] < found.kept[1:].min()


@pytest.mark.parametrize("spread", [0.5, pytest.param(2.0, marks=pytest.mark.slow)])
def test_the_probability_of_being_best_is_kept(spread: float) -> None:
    """Over studies the network named is the best as often as was said."""
    rng = np.random.default_rng(3)
    said, true = [], []
    for _ in range(100):
        means = rng.normal(0, spread, size=8)
        scores = means[:, None] + rng.normal(size=(8, 4))
        names = [f"n{i}" for i in range(8) for _ in range(4)]
        model = fit(names, list(range(4)) * 8, scores.ravel().tolist())
        chance = probability_best(shrink(model, rng=rng), lower_is_better=True)
        assert chance.sum() == pytest.approx(1)
        said.append(chance.max())
        true.append(chance.argmax() == means.argmin())
    assert np.mean(true) == pytest.approx(np.mean(said), abs=0.16)  # three sigma


def test_the_cheapest_is_on_the_front_and_what_is_worse_and_dearer_is_not() -> None:
    rng = np.random.default_rng(4)
    means, costs = np.array([5.0, 3.0, 9.0, 1.0]), np.array([1.0, 2.0, 3.0, 3.0])
    scores = means[:, None] + 0.01 * rng.normal(size=(4, 3))
    names = [f"n{i}" for i in range(4) for _ in range(3)]
    model = fit(names, list(range(3)) * 4, scores.ravel().tolist())
    chance = probability_on_front(shrink(model, rng=rng), costs, lower_is_better=True)
    assert chance.tolist() == [1.0, 1.0, 0.0, 1.0]
    turned = probability_on_front(shrink(model, rng=rng), costs, lower_is_better=False)
    assert turned.tolist() == [1.0, 0.0, 1.0, 0.0]


def test_too_few_networks_or_seeds_are_refused() -> None:
    with pytest.raises(StatisticsError, match="2 networks are too few to tell luck"):
        shrink(fit(["a", "a", "b", "b"], [0, 1, 0, 1], [1.0, 2.0, 3.0, 4.5]),
               rng=np.random.default_rng(0))  # fmt: skip
    with pytest.raises(StatisticsError, match="do not tell luck from skill; give two or more"):
        shrink(fit(["a", "b", "c"], [0, 0, 0], [1.0, 2.0, 3.0]), rng=np.random.default_rng(0))
    model = fit([*"aabbcc"], [0, 1] * 3, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    with pytest.raises(StatisticsError, match="3 networks differ alike in every seed"):
        shrink(model, rng=np.random.default_rng(0))
