"""Drawn deviations against Student's t, which they promise for few networks."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.scaling.noise import Spread, deviations, pooled, shared_deviations, spread
from analysis.scaling.points import Refusal, cells
from tests.analysis.scaling.simulated import power_law, trials

LAW = power_law(15, 20, 0.6)
SIZES = 2.0 ** np.arange(6)


def test_means_and_seeds_stray_as_student_says() -> None:
    """Kolmogorov-Smirnov at 20,000 draws: p > 1e-4 is a false alarm in 1e4, and seeded."""
    cell = np.repeat(np.arange(6), 3)
    part = Spread(between=0.6, between_df=3, within=4.8, within_df=12)
    drawn = deviations(part, cell, draws=20_000, rng=np.random.default_rng(0))
    means = drawn.reshape(-1, 6, 3).mean(axis=2)
    scaled = means[:, 2] / np.sqrt(0.6 / 3)
    assert stats.kstest(scaled, stats.t(3).cdf).pvalue > 1e-4
    difference = (drawn[:, 0] - drawn[:, 1]) / np.sqrt(2 * 4.8 / 12)
    assert stats.kstest(difference, stats.t(12).cdf).pvalue > 1e-4


def test_measured_variances_are_those_of_the_simulation() -> None:
    points = trials(
        np.geomspace(1, 32, 400), LAW, rng=np.random.default_rng(1), sd=0.5, own=0.4
    )
    part = spread(points, LAW(points["size"].to_numpy()), free=0)
    assert (part.between_df, part.within_df) == (400, 800)
    # A variance of 400 has a relative standard error of sqrt(2 / 400): 4 of them are 28 %.
    assert part.between / 400 == pytest.approx(0.4**2 + 0.5**2 / 3, rel=0.28)
    assert part.within / 800 == pytest.approx(0.5**2, rel=0.2)


def test_spreads_of_laws_add_up() -> None:
    one = Spread(between=1.0, between_df=3, within=2.0, within_df=12)
    assert pooled([one, one]) == Spread(between=2.0, between_df=6, within=4.0, within_df=24)


def test_a_single_seed_has_no_spread_within() -> None:
    points = trials(SIZES, LAW, rng=np.random.default_rng(2), seeds=1)
    part = spread(points, LAW(SIZES), free=3)
    assert (part.within, part.within_df) == (0.0, 0)
    drawn = deviations(part, cells(points), draws=50, rng=np.random.default_rng(3))
    assert drawn.shape == (50, 6)


def test_the_shared_base_strays_alike() -> None:
    points = trials(SIZES, LAW, rng=np.random.default_rng(4))
    base = points[points["network"] == "n0"]
    other = points[points["network"] != "n0"].assign(network=lambda f: "o" + f["network"])
    second = pd.concat([other, base])
    part = spread(points, LAW(points["size"].to_numpy()), free=3)
    rng = np.random.default_rng(5)
    a, b = shared_deviations([points, second], part, draws=20, rng=rng)
    np.testing.assert_array_equal(a[:, :3], b[:, -3:])
    assert not np.isin(a[:, 3:], b).any()


def test_as_many_networks_as_parameters_are_refused() -> None:
    points = trials(SIZES[:3], LAW)
    with pytest.raises(Refusal, match="3 networks leave nothing to judge 3 parameters by"):
        spread(points, LAW(points["size"].to_numpy()), free=3)
