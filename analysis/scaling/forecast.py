"""Forecasts the result of a budget that was not run from smaller budgets that were.

Input: a value for each of several budgets (the error of its best networks, or one of their
dimensions) and draws of it, from a bootstrap over networks. Output: an interval for the value
at another budget, which combines several forms that extrapolate the same points differently.

Each form is a line, z = a + b g(x), where x is the log of the size, so that two points
determine both parameters: error linear in x, its logarithm (a power law), its logit below
chance (a saturating law), and E + A exp(-alpha x) at each of several alpha (a power law with an
offset). No form is selected. A form is weighted by how well it predicts the largest budget from
the smaller ones, and its draws are spread out by as much as it missed that one; the draws of
all forms, in proportion to their weights, are the forecast.

Coverage of 90 % intervals for the result of the next budget, of twice the size, by number of
budgets run (1,000 simulated studies each, 24 networks per budget;
benchmarks/coverage/forecast.py):

                                            3       4       5
        power law with offset               89      90      91 %
        power law whose slope changes       88      81      89 %
        log error a parabola in log size    94      93      90 %
        linear in log size                  96      97      96 %
        saturating, with a floor            96      95      95 %
        stretched exponential               86      86      86 %
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from scipy.special import expit, logit

from analysis.scaling.forms import Array
from analysis.scaling.points import Refusal

FEWEST = 3
REACH = 2.2  # a factor of two, with a margin as doubled budgets are rarely exact
LEVEL = 0.9
_EXPONENTS = (0.1, 0.2, 0.35, 0.6, 1.0)
# Error of a form beyond noise, as a share of the value, per factor of e in size: chosen once so
# that simulated intervals have the right coverage (benchmarks/coverage/forecast.py).
_STRAY = 0.02
_FADING = 0.3  # weight of a budget smaller by a factor of e
_SAME = 1.1  # sizes closer than this factor count as one budget


class Form(NamedTuple):
    """A curve that two points determine.

    Attributes:
        family: name of the family; the forms of one family share its weight.
        basis: g, a function of the log of the size.
        there: converts a value to z.
        back: converts z to a value.
        floor: whether the curve approaches a, which must then not be below 0.
    """

    family: str
    basis: Callable[[Array], Array]
    there: Callable[[Array], Array]
    back: Callable[[Array], Array]
    floor: bool = False


class Forecast(NamedTuple):
    """A forecast value.

    Attributes:
        size: size at which it is forecast.
        estimate: median of the forecast.
        low: end of the interval.
        high: the other end.
        level: the share of such intervals that should contain the result of a run.
        weights: weight of each family; they sum to 1.
    """

    size: float
    estimate: float
    low: float
    high: float
    level: float
    weights: dict[str, float]


def error_forms(*, chance: float) -> tuple[Form, ...]:
    """Forms of an error in percent.

    Args:
        chance: error of random guessing in percent, which the saturating law never reaches.
    """
    offset = tuple(
        Form("power law with offset", _falling(alpha), _same, _same, floor=True)
        for alpha in _EXPONENTS
    )
    return (
        Form("log-linear", _same, _same, _same),
        Form("steepening", _falling(-0.3), _same, _same),
        Form("power law", _same, _log, np.exp),
        Form(
            "saturating", _same,
            lambda value: logit(np.clip(value / chance, 1e-4, 1 - 1e-4)),
            lambda z: chance * expit(z),
        ),
        *offset,
    )  # fmt: skip


def dimension_forms() -> tuple[Form, ...]:
    """Forms of a dimension of the best networks: constant, or a power of the size."""
    return (
        Form("constant", np.zeros_like, _log, np.exp),
        Form("power law", _same, _log, np.exp),
    )


def foretold(
    sizes: Sequence[float],
    values: Sequence[float],
    draws: Array,
    *,
    at: float,
    forms: Sequence[Form],
    rng: Generator,
) -> Forecast:
    """Forecast the value that a run at another size will find.

    Args:
        sizes: sizes of the budgets (k,), all different, such as multiply-adds.
        values: value at each budget (k,), above 0.
        draws: (b, k), the same values from resamples of the networks.
        at: the size to forecast for.
        forms: from `error_forms` or `dimension_forms`.
        rng: draws forms and noise.

    Returns:
        The 90 % forecast of the value found there, including that run's own noise, which is
        drawn from the noise of the budgets that were run.

    Raises:
        Refusal: there are fewer than three budgets, or the size is more than a factor of REACH
            outside them.
    """
    x, y = np.log(np.asarray(sizes, dtype=float)), np.asarray(values, dtype=float)
    _check(np.exp(x), at)
    order = np.argsort(x)
    x, y, drawn = x[order], y[order], np.asarray(draws, dtype=float)[:, order]
    middle = x.mean()
    x, target = x - middle, np.log(at) - middle
    noise = np.maximum(drawn.std(axis=0), 1e-9 * y)
    shifted = np.maximum(drawn - drawn.mean(axis=0) + y, 1e-3 * y)
    shares, missed = _weights(forms, x, y, shifted, noise)
    chosen = rng.choice(len(forms), size=len(shifted), p=shares)
    found = np.empty(len(shifted))
    for number, form in enumerate(forms):
        mine = chosen == number
        if mine.any():
            ahead = _at(form, x, shifted[mine], noise, target)
            away = np.hypot(_STRAY, missed[number]) * _distance(x, target)
            found[mine] = ahead * np.exp(away * rng.standard_normal(len(ahead)))
    own = (shifted / y)[rng.permutation(len(shifted)), rng.integers(x.size, size=len(shifted))]
    found = found * own
    low, middle_, high = np.quantile(found, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
    families = dict.fromkeys((form.family for form in forms), 0.0)
    for form, share in zip(forms, shares.tolist(), strict=True):
        families[form.family] += share
    return Forecast(at, float(middle_), float(low), float(high), LEVEL, families)


def _check(sizes: Array, at: float) -> None:
    if sizes.size < FEWEST:
        raise Refusal(
            f"{sizes.size} {'budget is' if sizes.size == 1 else 'budgets are'} fewer than "
            f"{FEWEST}",
            "run one more, at a factor of two from the others",
        )
    rising = np.sort(sizes)
    if (rising[1:] < _SAME * rising[:-1]).any():
        raise Refusal(
            f"two budgets lie within a factor of {_SAME}",
            "take them together, or leave one out",
        )
    low, high = float(rising[0] / REACH), float(rising[-1] * REACH)
    if not low <= at <= high * (1 + 1e-9):
        raise Refusal(
            f"{at:.4g} is outside {low:.4g} to {high:.4g}, a factor of {REACH:g} beyond the "
            "budgets run",
            "run a budget nearer to it first",
        )


def _weights(
    forms: Sequence[Form], x: Array, y: Array, drawn: Array, noise: Array
) -> tuple[Array, Array]:
    """Weight each form by its likelihood of the largest budget, predicted from the others.

    Also returns by how much each form missed it beyond noise, as a share of the value per
    factor of e in size.
    """
    distance = _distance(x[:-1], float(x[-1]))
    logs, missed = np.empty(len(forms)), np.empty(len(forms))
    for number, form in enumerate(forms):
        ahead = _at(form, x[:-1], drawn[:, :-1], noise[:-1], float(x[-1]))
        miss = float(np.median(ahead) - y[-1])
        chance = float(ahead.var() + noise[-1] ** 2)
        spread = np.sqrt(chance + (_STRAY * distance * y[-1]) ** 2)
        logs[number] = -((miss / spread) ** 2) / 2 - np.log(spread)
        missed[number] = np.sqrt(max(miss**2 - chance, 0.0)) / y[-1] / distance
    family = [form.family for form in forms]
    prior = np.array([1 / family.count(name) for name in family])
    # Where all miss by far, the likelihoods themselves would be too small for a float.
    likely = np.exp(logs - logs.max())
    shares = prior * (likely + 1e-6)
    return np.asarray(shares / shares.sum()), missed


def _at(form: Form, x: Array, drawn: Array, noise: Array, target: float) -> Array:
    """Fit the form to each draw by weighted least squares and evaluate it at the target."""
    values = form.there(drawn)
    centre = drawn.mean(axis=0)
    slope = (form.there(centre * 1.001) - form.there(centre * 0.999)) / (0.002 * centre)
    # Points far below the largest budget say little about how the curve continues.
    weight = _FADING ** (x[-1] - x) / (slope * noise) ** 2
    weight = weight / weight.sum()
    basis, ahead = form.basis(x), form.basis(np.array([target]))[0]
    mean, level = basis @ weight, values @ weight
    spread = weight @ (basis - mean) ** 2
    if spread <= 0:
        return form.back(level)
    b = (values - level[:, None]) @ (weight * (basis - mean)) / spread
    a = level - b * mean
    if form.floor:
        alone = values @ (weight * basis) / (weight @ basis**2)
        below = a < 0
        a, b = np.where(below, 0.0, a), np.where(below, alone, b)
    return form.back(a + b * ahead)


def _distance(x: Array, target: float) -> float:
    """How far a target lies outside the sizes, in log size; at least 0.5."""
    return max(float(x[0] - target), float(target - x[-1]), 0.5)


def _same(value: Array) -> Array:
    return value


def _log(value: Array) -> Array:
    return np.asarray(np.log(np.maximum(value, 1e-9)))


def _falling(alpha: float) -> Callable[[Array], Array]:
    return lambda x: np.exp(-alpha * x)
