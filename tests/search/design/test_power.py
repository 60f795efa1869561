"""What a study can show, against scipy's noncentral t, simulation and a published table."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.statistics.mixed import estimate, fit
from search.design.contrasts import equal_size
from search.design.power import MOST_SEEDS, Setting, detectable, seeds_needed, standard_error
from search.space.load import load_space
from search.space.members import members_of
from search.space.resolve import resolve

PAIR = {"a": 1.0, "b": -1.0}


@pytest.mark.parametrize("always_valid", [False, True])
@pytest.mark.parametrize(("networks", "seeds"), [(2, 3), (2, 8), (4, 2), (16, 4)])
def test_the_difference_is_found_in_80_of_100(
    networks: int, seeds: int, always_valid: bool
) -> None:
    setting = Setting(networks=networks, spread=1.5, always_valid=always_valid)
    away = detectable(PAIR, setting, seeds=seeds)
    if always_valid and setting.df(seeds, PAIR) <= 3:  # nothing is bound yet
        assert away == math.inf
        return
    shift = away / (1.5 * math.sqrt(2 / seeds))
    df, limit = setting.df(seeds, PAIR), setting.reach(seeds, PAIR)
    found = stats.nct.sf(limit, df, shift) + np.nan_to_num(stats.nct.cdf(-limit, df, shift))
    assert found == pytest.approx(0.8, abs=1e-6)


def test_one_seed_shows_nothing() -> None:
    assert detectable(PAIR, Setting(networks=9, spread=1.0), seeds=1) == math.inf
    assert detectable(PAIR, Setting(networks=1, spread=1.0), seeds=9) == math.inf


def test_a_textbook_sample_size() -> None:
    """Cohen 1988, table 2.4.1: a paired test of d = 0.5 at 5 %, 80 % power, takes 34 pairs."""
    apart = math.sqrt(2) * 0.5  # the difference of two scores spreads by sqrt(2)
    assert seeds_needed(PAIR, Setting(networks=2, spread=1.0), difference=apart) == 34


@given(
    networks=st.integers(2, 30),
    spread=st.floats(0.05, 5),
    difference=st.floats(0.2, 3),
    always_valid=st.booleans(),
)
def test_fewer_seeds_than_are_needed_do_not_find_it(
    networks: int, spread: float, difference: float, always_valid: bool
) -> None:
    setting = Setting(networks=networks, spread=spread, always_valid=always_valid)
    seeds = seeds_needed(PAIR, setting, difference=difference)
    assert seeds is not None
    assert detectable(PAIR, setting, seeds=seeds) <= difference
    assert seeds == 2 or detectable(PAIR, setting, seeds=seeds - 1) > difference


@pytest.mark.parametrize(
    "seeds", [3, *(pytest.param(one, marks=pytest.mark.slow) for one in (2, 4))]
)
@pytest.mark.parametrize(
    ("networks", "each"), [(8, 1), pytest.param(16, 5, marks=pytest.mark.slow)]
)
def test_the_report_finds_about_80_of_100_with_few_seeds_too(
    networks: int, each: int, seeds: int
) -> None:
    """With 2 or 3 seeds each network may have a spread of its own: the plan must know."""
    names = [f"n{i}" for i in range(networks)]
    weights = {n: (1 if i < each else -1) / each for i, n in enumerate(names[: 2 * each])}
    row = np.array([weights.get(name, 0.0) for name in names])
    true = detectable(weights, Setting(networks=networks, spread=1.0), seeds=seeds)
    rng = np.random.default_rng(5)
    trials = [(name, seed) for name in names for seed in range(seeds)]
    found = 0
    for _ in range(200):
        scores = rng.normal(size=(networks, seeds)) + (true * row / (row @ row))[:, None]
        model = fit([t[0] for t in trials], [t[1] for t in trials], scores.ravel().tolist())
        found += bool(estimate(model, [weights]).p()[0] < 0.05)
    assert found / 200 == pytest.approx(0.8, abs=0.12)  # pooled at 2 seeds a pair: 0.23


def test_what_no_number_of_seeds_finds_has_none() -> None:
    assert seeds_needed(PAIR, Setting(networks=2, spread=1e4), difference=0.1) is None
    assert MOST_SEEDS > 1000


def test_several_contrasts_at_once_take_a_larger_difference() -> None:
    alone = Setting(networks=16, spread=1.0)
    assert alone.at_once(1) == alone
    assert alone.at_once(10).level == pytest.approx(0.995)
    assert alone.at_once(10).reach(4, PAIR) == pytest.approx(stats.t.ppf(0.9975, 45))
    assert detectable(PAIR, alone.at_once(10), seeds=4) > detectable(PAIR, alone, seeds=4)


def test_the_error_of_a_contrast_is_that_of_simulated_means() -> None:
    weights = {"a": 1.0, "b": -0.25, "c": -0.75}
    rng = np.random.default_rng(0)
    scores = rng.normal(scale=1.2, size=(20_000, 3, 4)) + rng.normal(size=(20_000, 1, 4))
    estimates = scores.mean(axis=2) @ np.array([1.0, -0.25, -0.75])
    error = standard_error(weights, spread=1.2, seeds=4)
    assert estimates.std() == pytest.approx(error, rel=0.02)  # 4 sigma of 20,000


def test_16_7_and_3_seeds_show_half_a_point_of_scale_less_depth() -> None:
    """Those of the mean over all sizes at equal parameters; of two networks it takes 75."""
    _, survey = resolve(*load_space(Path("spaces/cifar_fig5_tiny.yaml")), unseen=True)
    planned = equal_size(members_of(survey))
    depth = next(c for c in planned if (c.against, c.label) == ("depth", "all sizes"))
    spreads = (1.09, 0.7, 0.4)
    settings = [Setting(networks=16, spread=spread) for spread in spreads]
    needed = [seeds_needed(depth.weights, one, difference=0.5) for one in settings]
    assert needed == [16, 7, 3]
    assert seeds_needed(PAIR, settings[0], difference=0.5) == 75
