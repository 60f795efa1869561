"""How sure a rank correlation is, in words that are true of any number of networks."""

import math

import pytest

from analysis.questions.tau_words import order_shown, tau_words

PERFECT = "no interval, for leaving out any one network changes nothing"


@pytest.mark.parametrize(
    ("tau", "low", "high", "p", "networks", "said"),
    [
        (0.5, 0.1, 0.8, None, 20, "0.50 (95 % interval 0.10 to 0.80)"),
        (0.6, math.nan, math.nan, 0.233, 5,
         "0.60 (p 0.233, exact: too few networks for an interval)"),
        (1.0, None, None, 0.00005, 8,
         f"1.00 (p < 0.001, exact: {PERFECT})"),
        (1.0, None, None, None, 10,
         f"1.00 ({PERFECT})"),
        (0.447, None, None, None, 10,
         "0.45 (no interval, for without one of them there is no order)"),
    ],
)  # fmt: skip
def test_what_is_said(
    tau: float, low: float | None, high: float | None, p: float | None, networks: int, said: str
) -> None:
    assert tau_words(tau, low, high, p, networks=networks) == said


@pytest.mark.parametrize(
    ("tau", "low", "high", "p", "way"),
    [
        (0.14, -0.07, 0.36, None, 0),
        (0.5, 0.1, 0.8, None, 1),
        (-0.8, -0.9, -0.5, None, -1),
        (0.6, None, None, 0.233, 0),
        (-1.0, math.nan, math.nan, 0.001, -1),
        (1.0, None, None, None, 1),
        (0.447, None, None, math.nan, 0),
    ],
)
def test_an_order_in_common_is_said_only_where_it_is_shown(
    tau: float, low: float | None, high: float | None, p: float | None, way: int
) -> None:
    assert order_shown(tau, low, high, p) == way
