"""The joint law of size and length: exact without noise, intervals that hold, refusals."""

from typing import Any

import numpy as np
import pytest

from analysis.scaling.law import fit_joint
from analysis.scaling.points import Refusal
from analysis.scaling.projected import projected
from tests.analysis.scaling.test_isomacs import trials


@pytest.mark.parametrize(("alpha", "beta"), [(0.4, 0.4), (0.5, 0.35)])
def test_a_known_law_comes_back_exactly(alpha: float, beta: float) -> None:
    found = projected(trials(alpha, beta), rng=np.random.default_rng(0), resamples=20)
    assert found.parameters == pytest.approx(
        {
            "E": 5, "A": 12 * 1e9**alpha, "alpha": alpha, "B": 12 * 1e7**beta, "beta": beta,
        },
        rel=1e-5,
    )  # fmt: skip
    assert found.exponent == pytest.approx(beta / (alpha + beta))
    assert found.residuals["off"].abs().max() < 1e-6


def test_with_noise_it_is_at_least_as_near_as_five_parameters_searched() -> None:
    points = trials(0.5, 0.35, rng=np.random.default_rng(3))
    found = projected(points, rng=np.random.default_rng(0), resamples=20)
    squares = float((np.log(found.residuals["error"] / found.residuals["fitted"]) ** 2).sum())
    other = fit_joint(
        points["size"].to_numpy(), (points["epochs"] * points["images"]).to_numpy(),
        points["error"].to_numpy() / 100, delta=1e3, starts=200,
    )  # fmt: skip
    # Of relative residuals in place of logarithms: equal but for their third power.
    assert squares <= 2 * other["loss"] * 1e3 * 1.01
    assert found.exponent == pytest.approx(
        other["beta"] / (other["alpha"] + other["beta"]), abs=5e-3
    )


def test_intervals_hold_the_exponent() -> None:
    """95 %; 40 studies are within 3 sigma of it."""
    held = []
    for study in range(40):
        rng = np.random.default_rng([3, study])
        found = projected(trials(0.5, 0.35, rng=rng), rng=rng, resamples=100)
        held.append(found.low <= 0.35 / 0.85 <= found.high)
    assert np.mean(held) >= 0.85


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 1e9}, "1 sizes are fewer than 3; train networks of more sizes"),
        ({"epochs": 5.0}, "1 lengths are fewer than 3; train networks of more lengths"),
        ({"recipe": ["a", "b"] * 63}, "mixed recipe"),
        ({"data": ["a", "b"] * 63}, "mixed data"),
    ],
)
def test_refusals(change: dict[str, Any], message: str) -> None:
    with pytest.raises(Refusal, match=message):
        projected(trials(0.4, 0.4).assign(**change), rng=np.random.default_rng(0))
