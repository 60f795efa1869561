"""What is foretold of networks left out: against brute force, known effects and noise."""

import numpy as np
import pandas as pd
import pytest

from analysis.statistics.surrogate import _hats, _r2, explained


def grid(rng: np.random.Generator, count: int) -> pd.DataFrame:
    names = ["depth", "scale", "width"]
    return pd.DataFrame(rng.integers(0, 4, size=(count, 3)), columns=names)


def test_leaving_out_in_closed_form_is_leaving_out() -> None:
    rng = np.random.default_rng(0)
    table, scores = grid(rng, 15).to_numpy(dtype=float), 90 + rng.normal(size=15)
    squared = (((table[:, None] - table[None]) / 3) ** 2).sum(axis=2)
    kernel = np.exp(-squared / (2 * 0.6**2 * 3)) + 1e4
    missed = []
    for out in range(15):
        kept = np.delete(np.arange(15), out)
        weights = np.linalg.solve(kernel[np.ix_(kept, kept)] + 0.3 * np.eye(14), scores[kept])
        missed.append(scores[out] - kernel[out, kept] @ weights)
    mean_of_others = (scores.sum() - scores) / 14
    expected = 1 - np.square(missed).sum() / np.square(scores - mean_of_others).sum()
    assert _r2(_hats(table)[1], scores[:, None])[0] == pytest.approx(expected, rel=1e-4)


def test_an_interaction_is_explained() -> None:
    """Neither dimension says anything by itself."""
    rng = np.random.default_rng(1)
    features = grid(rng, 60)
    scores = ((features["depth"] > 1) ^ (features["scale"] > 1)) + rng.normal(0, 0.1, size=60)
    found = explained(features, scores, rng=rng)
    assert found.r2 > 0.6
    assert found.p == pytest.approx(0.001)


def test_noise_is_explained_as_rarely_as_p_says() -> None:
    """5 % of 200; more than 21 would be one in ten thousand."""
    rng = np.random.default_rng(2)
    low = 0
    for _ in range(200):
        low += explained(grid(rng, 25), pd.Series(rng.normal(size=25)), rng=rng).p < 0.05
    assert low <= 21


def test_of_many_networks_some_are_drawn() -> None:
    rng = np.random.default_rng(3)
    features = grid(rng, 900)
    found = explained(features, features["scale"] + rng.normal(size=900), rng=rng)
    assert found.networks == 400
    assert 0.3 < found.r2 < 0.75
