"""The compound rule against brute force over the laws that made the data."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from analysis.scaling.compound import compound_rule
from analysis.scaling.points import Refusal
from tests.analysis.scaling.simulated import power_law, trials

# Errors against multiplier, all 30 % at the base.
LAWS = {
    "scale": power_law(12, 18, 0.8),
    "cardinality": power_law(15, 15, 0.5),
    "depth": power_law(14, 16, 0.7),
}
MULTIPLIERS = np.arange(1, 7)


def cost(multipliers: dict[str, float]) -> float:
    """Depth multiplies, scale and cardinality add up to a width that is squared in part."""
    wide = multipliers["scale"] + 0.7 * multipliers["cardinality"]
    return 1e6 * multipliers["depth"] * (wide + 0.1 * wide**2)


def curves(rng: np.random.Generator | None = None, sd: float = 0.2) -> dict[str, pd.DataFrame]:
    found = {}
    base = None
    for name, law in LAWS.items():
        points = trials(MULTIPLIERS, law, rng=rng, sd=sd)
        points["network"] = points["network"].map(lambda n, d=name: n if n == "n0" else d + n)
        points["multiplier"] = points["size"]
        base = points.loc[:2, "error"] if base is None else base
        points.loc[:2, "error"] = base
        found[name] = points
    return found


def by_brute_force(budget_ratio: float) -> tuple[dict[str, float], float]:
    best, least = {}, np.inf
    most = budget_ratio * cost(dict.fromkeys(LAWS, 1.0))
    for values in product(np.arange(1, 6.25, 0.5), repeat=3):
        chosen = dict(zip(LAWS, values, strict=True))
        if cost(chosen) <= most:
            error = 30 * np.prod([LAWS[n](np.array(v)) / 30 for n, v in chosen.items()])
            if error < least:
                best, least = chosen, error
    return best, least


@pytest.mark.parametrize("budget_ratio", [1.5, 2.0, 4.0, 9.0])
def test_the_rule_is_what_brute_force_finds(budget_ratio: float) -> None:
    rng = np.random.default_rng(0)
    rule = compound_rule(curves(), cost, budget_ratio=budget_ratio, rng=rng, resamples=20)
    best, least = by_brute_force(budget_ratio)
    assert rule.multipliers == best
    assert rule.error == pytest.approx(least, rel=1e-5)
    assert rule.cost <= budget_ratio
    assert rule.considered == 11**3
    assert 0 < rule.feasible < rule.considered
    assert rule.picks["share"].tolist() == [1.0]


def test_noise_shows_in_the_picks() -> None:
    rng = np.random.default_rng(1)
    rule = compound_rule(curves(rng, sd=0.6), cost, budget_ratio=3.0, rng=rng, resamples=150)
    assert rule.picks["share"].sum() == pytest.approx(1)
    assert len(rule.picks) >= 3
    assert rule.low < rule.error < rule.high
    for name, (low, high) in rule.intervals.items():
        assert 1 <= low <= high <= 6
        assert rule.picks[name].between(1, 6).all()
    costs = [cost(row) for row in rule.picks.drop(columns="share").to_dict("records")]
    assert max(costs) <= 3 * cost(dict.fromkeys(LAWS, 1.0)) * (1 + 1e-9)


def test_steps_end_with_what_was_measured() -> None:
    rng = np.random.default_rng(0)
    rule = compound_rule(curves(), cost, budget_ratio=1e9, rng=rng, step=0.75, resamples=5)
    assert rule.multipliers == dict.fromkeys(LAWS, 6.0)
    assert rule.considered == 8**3


def test_what_cannot_be_built_is_left_out() -> None:
    def whole(multipliers: dict[str, float]) -> float:
        fits = multipliers["scale"] == int(multipliers["scale"])
        return cost(multipliers) if fits else np.inf

    rng = np.random.default_rng(0)
    rule = compound_rule(curves(), whole, budget_ratio=2.0, rng=rng, resamples=5)
    assert rule.multipliers["scale"] in MULTIPLIERS


def test_refusals() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(Refusal, match=r"no combination costs 0.5 x the base or less; the ch"):
        compound_rule(curves(), cost, budget_ratio=0.5, rng=rng, resamples=5)
    with pytest.raises(Refusal, match=r"1,030,301 combinations are more than 200,000"):
        compound_rule(curves(), cost, budget_ratio=2, rng=rng, step=0.05, resamples=5)
    apart = curves()
    apart["depth"] = apart["depth"].assign(error=apart["depth"]["error"] + 0.1)
    with pytest.raises(Refusal, match="do not share one base"):
        compound_rule(apart, cost, budget_ratio=2, rng=rng, resamples=5)
