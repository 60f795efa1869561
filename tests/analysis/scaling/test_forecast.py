"""Forecasts of known curves: exact without noise, calibrated with it, refused out of reach."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.scaling.forecast import dimension_forms, error_forms, foretold
from analysis.scaling.points import Refusal
from benchmarks.coverage.forecast import SIMULATIONS

SIZES = 1e8 * 2.0 ** np.arange(4)
FORMS = error_forms(chance=99.0)


def exactly(values: np.ndarray, noise: float = 1e-4) -> np.ndarray:
    rng = np.random.default_rng(0)
    return values * (1 + noise * rng.standard_normal((2000, len(values))))


@pytest.mark.parametrize(
    ("law", "family"),
    [
        (lambda x: 40 * x**-0.3, "power law"),
        (lambda x: 40 - 4 * np.log(x), "log-linear"),
        (lambda x: 20 + 15 * x**-0.6, "power law with offset"),
        (lambda x: 99 / (1 + 0.6 * x**0.4), "saturating"),
    ],
)
def test_without_noise_the_true_form_has_the_most_weight(
    law: Callable[[Any], Any], family: str
) -> None:
    values = law(SIZES / SIZES[0])
    found = foretold(
        SIZES, values, exactly(values), at=8e8 * 2, forms=FORMS, rng=np.random.default_rng(0)
    )
    truth = law(16.0)
    assert found.low < truth < found.high
    assert found.estimate == pytest.approx(truth, rel=0.02)
    assert sum(found.weights.values()) == pytest.approx(1)
    assert found.weights[family] >= 1 / len(found.weights)


def test_a_dimension_that_stays_is_foretold_to_stay() -> None:
    values = np.array([4.0, 4.0, 4.0, 4.0])
    found = foretold(
        SIZES, values, exactly(values, 0.05), at=1.6e9, forms=dimension_forms(),
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert found.estimate == pytest.approx(4, rel=0.05)
    assert 2 < found.low < found.high < 7


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.permutations(range(4)))
def test_the_order_of_budgets_and_the_unit_of_size_do_not_matter(
    seed: int, order: list[int]
) -> None:
    rng = np.random.default_rng(seed)
    values = np.sort(rng.uniform(5, 60, 4))[::-1]
    draws = values * (1 + 0.03 * rng.standard_normal((400, 4)))
    plain, other = (
        foretold(sizes, kept, drawn, at=at, forms=FORMS, rng=np.random.default_rng(1))
        for sizes, kept, drawn, at in (
            (SIZES, values, draws, 1.5e9),
            (SIZES[order] / 1e6, values[order], draws[:, order], 1.5e3),
        )
    )
    assert other[1:4] == pytest.approx(plain[1:4])
    assert plain.low <= plain.estimate <= plain.high


def test_the_interval_is_wider_where_nothing_was_run() -> None:
    values = 20 + 15 * (SIZES / SIZES[0]) ** -0.6
    near, far = (
        foretold(SIZES, values, exactly(values, 0.01), at=at, forms=FORMS,
                 rng=np.random.default_rng(0))
        for at in (8e8, 1.6e9)
    )  # fmt: skip
    assert far.high - far.low > near.high - near.low


@pytest.mark.parametrize("name", SIMULATIONS)
def test_simulated_forecasts_hold(name: str) -> None:
    """90 %; 150 studies are within 4 sigma of it. benchmarks/coverage has more."""
    rng = np.random.default_rng(0)
    assert 0.8 <= np.mean([SIMULATIONS[name](rng) for _ in range(150)]) <= 0.99


@pytest.mark.parametrize(
    ("sizes", "at", "message"),
    [
        ([1e8, 2e8], 3e8, "2 budgets are fewer than 3; run one more"),
        (
            [1e8, 2e8, 4e8],
            8.9e8,
            r"8.9e\+08 is outside 4.545e\+07 to 8.8e\+08, a factor of 2.2",
        ),
        ([1e8, 2e8, 4e8], 4e7, "4e\\+07 is outside"),
        ([1e8, 2e8, 2.1e8], 3e8, "two budgets lie within a factor of 1.1; take them together"),
    ],
)
def test_what_cannot_be_foretold_is_refused(
    sizes: list[float], at: float, message: str
) -> None:
    values = np.full(len(sizes), 20.0)
    with pytest.raises(Refusal, match=message):
        foretold(
            sizes, values, exactly(values), at=at, forms=FORMS, rng=np.random.default_rng(0)
        )
