"""Exchange rates against closed forms of known laws."""

import re

import numpy as np
import pandas as pd
import pytest

from analysis.scaling.exchange import exchange, sizes_with
from analysis.scaling.forms import power
from analysis.scaling.law import fit
from analysis.scaling.points import Refusal
from tests.analysis.scaling.simulated import Law, power_law, trials

MULTIPLIERS = np.arange(1, 7)
COST_A, COST_B = 0.8, 1.0  # of each further step, in the cost of the base
SCALE, DEPTH = power_law(10, 20, 0.9), power_law(10, 20, 0.6)


def dimension(
    name: str, law: Law, step: float, rng: np.random.Generator | None = None, sd: float = 0.3
) -> pd.DataFrame:
    points = trials(1 + step * (MULTIPLIERS - 1), law, rng=rng, sd=sd)
    names = points["network"].map(lambda n: "base" if n == "n0" else f"{name}{n}")
    return points.assign(network=names, multiplier=np.repeat(MULTIPLIERS, 3))


def both(
    rng: np.random.Generator | None = None, *, depth: Law = DEPTH
) -> tuple[pd.DataFrame, pd.DataFrame]:
    a = dimension("s", SCALE, COST_A, rng)
    b = dimension("d", depth, COST_B, rng)
    b.loc[:2, "error"] = a.loc[:2, "error"]
    return a, b


def test_a_known_exchange_comes_back() -> None:
    """x^-0.9 = y^-0.6, so y = x^1.5."""
    found = exchange(*both(), multiplier=2, form=power(), rng=np.random.default_rng(0))
    assert found.cost == pytest.approx(1.8)
    assert found.ratio == pytest.approx(1.8**1.5, rel=1e-3)
    assert found.low == pytest.approx(found.high, rel=1e-2)
    assert found.reach == pytest.approx((0.5, 12.0))
    words = "x2 in scale, which costs x1.80, buys what x2.4. in cost of depth buys, 95 % "
    assert re.fullmatch(words + r"\[2.4., 2.4.\]", found.sentence("scale", "depth"))


def test_what_is_never_reached_is_no_number() -> None:
    """x^-0.9 at x = 5 is y^-0.6 at y = 11.2; a floor of 14 % is above it for ever."""
    flat = power_law(14, 16, 0.6)
    found = exchange(
        *both(depth=flat), multiplier=6, form=power(), rng=np.random.default_rng(0)
    )
    assert (found.ratio, found.low, found.high) == (None, None, None)
    assert (found.above, found.below) == (1, 0)
    assert found.reason.startswith(">= x12.00 (not reached within 2 x the largest size)")
    assert "buys what >= x12.00" in found.sentence("scale", "depth")
    assert "95 % [> 12.00, > 12.00]" in found.sentence("scale", "depth")


def test_what_is_worse_than_all_of_b_is_no_number() -> None:
    a, b = both()
    a.loc[3:, "error"] = 30 + 3 * np.log(a.loc[3:, "size"]) + 12
    found = exchange(a, b, multiplier=3, form=power(), rng=np.random.default_rng(0))
    assert found.ratio is None
    assert found.reason.startswith("<= x0.50")
    assert "95 % [< 0.50, " in found.sentence("scale", "depth")


def test_an_interval_may_be_open_above() -> None:
    rng = np.random.default_rng(1)
    a, b = both(rng, depth=power_law(12.5, 17.5, 0.7))
    found = exchange(a, b, multiplier=5, form=power(), rng=rng, resamples=300)
    assert found.high is None
    assert 0 < found.above < 1
    assert "> 12.00]" in found.sentence("scale", "depth")


def test_sizes_are_read_off_the_curve() -> None:
    law = fit(trials(2.0 ** np.arange(6), DEPTH), form=power())
    sizes = np.array([0.6, 1.0, 7.3, 60.0])
    found = sizes_with(law, DEPTH(sizes), theta=np.tile(law.theta, (4, 1)))
    np.testing.assert_allclose(found, sizes, rtol=1e-4)
    beyond = sizes_with(law, np.array([50.0, 10.5]), theta=np.tile(law.theta, (2, 1)))
    assert beyond.tolist() == [0.0, np.inf]


def test_refusals() -> None:
    a, b = both()
    rng = np.random.default_rng(0)
    with pytest.raises(Refusal, match=r"multiplier 2.5 has 0 sizes.*trained: 1, 2, 3, 4, 5, 6"):
        exchange(a, b, multiplier=2.5, form=power(), rng=rng)
    with pytest.raises(Refusal, match="do not share one base"):
        exchange(a, b.assign(error=b["error"] + 0.1), multiplier=2, form=power(), rng=rng)
    with pytest.raises(Refusal, match="do not share one base"):
        exchange(a, b.assign(epochs=30), multiplier=2, form=power(), rng=rng)
    with pytest.raises(Refusal, match="multiplier 1 has 0 sizes"):
        exchange(a, b[b["multiplier"] > 1], multiplier=2, form=power(), rng=rng)
    renamed = b.assign(network=b["network"].replace({"dn2": "sn1"}))
    with pytest.raises(Refusal, match="network sn1 stands in two dimensions"):
        exchange(a, renamed, multiplier=2, form=power(), rng=rng)
    with pytest.raises(Refusal, match="no column multiplier"):
        exchange(a.drop(columns="multiplier"), b, multiplier=2, form=power(), rng=rng)


@pytest.mark.slow
def test_the_interval_covers_the_truth() -> None:
    """400 simulations, with a standard error of 0.012; measured 0.935."""
    hits = []
    for simulation in range(400):
        rng = np.random.default_rng([9, simulation])
        found = exchange(*both(rng), multiplier=2, form=power(), rng=rng, resamples=300)
        low, high = found.low or 0.0, found.high or np.inf
        hits.append(low <= 1.8**1.5 <= high)
    assert 0.92 <= np.mean(hits) <= 0.98
