"""The spread between seeds is that of least squares on network + seed, holes or not."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.design.spread import spread_of


def by_dummies(scores: np.ndarray) -> tuple[float, int]:
    """The same from a design matrix with a column for each network and seed."""
    networks, seeds = np.nonzero(~np.isnan(scores))
    design = np.zeros((len(networks), sum(scores.shape)))
    design[np.arange(len(networks)), networks] = 1
    design[np.arange(len(networks)), scores.shape[0] + seeds] = 1
    y = scores[networks, seeds]
    fitted, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    df = len(y) - int(rank)
    return float(np.sqrt(((y - design @ fitted) ** 2).sum() / df)) if df else math.nan, df


@given(
    networks=st.integers(1, 8),
    seeds=st.integers(1, 6),
    holes=st.floats(0, 0.7),
    seed=st.integers(0, 999),
)
def test_it_is_that_of_least_squares(
    networks: int, seeds: int, holes: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(networks, seeds)) + 50
    scores[rng.random(scores.shape) < holes] = np.nan
    sigma, df = by_dummies(scores) if (~np.isnan(scores)).any() else (math.nan, 0)
    found = spread_of(scores)
    assert found.df == df
    if df:
        assert found.sigma == pytest.approx(sigma, rel=1e-7)
    else:
        assert math.isnan(found.sigma)


def test_what_networks_and_seeds_add_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    scores = rng.normal(scale=0.7, size=(400, 5))
    shifted = scores + rng.normal(size=(400, 1)) * 9 + rng.normal(size=(1, 5)) * 9
    found = spread_of(shifted)
    rest = scores - scores.mean(axis=0) - scores.mean(axis=1, keepdims=True) + scores.mean()
    assert found.sigma == pytest.approx(np.sqrt((rest**2).sum() / (399 * 4)), rel=1e-9)
    assert (found.df, found.networks, found.seeds) == (399 * 4, 400, 5)
    assert found.sigma == pytest.approx(0.7, rel=0.07)  # 4 sigma of 1,596 degrees of freedom


def test_seeds_that_are_not_shared_say_nothing() -> None:
    apart = np.array([[1.0, 2.0, np.nan, np.nan], [np.nan, np.nan, 3.0, 5.0]])
    assert spread_of(apart).df == 0
    assert spread_of(np.full((2, 2), np.nan)).df == 0
    assert spread_of(np.array([[1.0, 2.0]])).df == 0
