"""Finds a compound scaling rule under a budget: multipliers from one curve per dimension.

Assumption, to be tested by training the proposed network: gains in log error add up, that is,
dimensions do not interact. Frames are those of `analysis.scaling.exchange`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.scaling.exchange import check_base, redrawn_together
from analysis.scaling.forms import Array, Form, power
from analysis.scaling.law import DELTA, Law, fit
from analysis.scaling.points import Indices, Refusal

_MOST = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The best multipliers under a budget.

    Args:
        multipliers: multiplier of each dimension.
        intervals: 2.5 and 97.5 percentiles of the multipliers that resamples pick.
        error: predicted, percent.
        low: end of the error's interval at these multipliers.
        high: end of the error's interval at these multipliers.
        cost: cost of these multipliers divided by that of the base, as counted by the caller.
        picks: one row for each combination that any resample picks, with its share.
        considered: number of combinations on the grid.
        feasible: number of combinations within the budget.
    """

    multipliers: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    error: float
    low: float
    high: float
    cost: float
    picks: pd.DataFrame
    considered: int
    feasible: int


class Curves(NamedTuple):
    """Names of dimensions, the law of each in its multiplier, and its redrawn thetas (b, p)."""

    names: list[str]
    laws: list[Law]
    thetas: list[Array]


def compound_rule(
    curves: Mapping[str, pd.DataFrame],
    cost: Callable[[dict[str, float]], float],
    *,
    budget_ratio: float,
    rng: np.random.Generator,
    step: float = 0.5,
    resamples: int = 1000,
) -> Rule:
    """Search a grid of all combinations of multipliers in the measured range, under a budget.

    The gain of a dimension is modelled by a power law with offset in its multiplier.

    Args:
        curves: trials along each dimension, with the shared base at multiplier 1.
        cost: exact cost of a combination, such as MACs by `res2net.cost`; infinite where it
            cannot be built.
        budget_ratio: maximum cost, divided by that of the base.
        rng: source of all draws.
        step: step of the grid, which stays within each dimension's smallest and largest
            multiplier.
        resamples: number of resamples.

    Raises:
        Refusal: there is no shared base, a curve does not support a law, the grid is too fine,
            or no combination is within the budget.
    """
    fits = fitted_curves(curves, rng=rng, resamples=resamples)
    return rule_within(fits, cost, budget_ratio=budget_ratio, step=step)


def fitted_curves(
    curves: Mapping[str, pd.DataFrame],
    *,
    rng: np.random.Generator,
    resamples: int = 1000,
    forms: Mapping[str, Form] | None = None,
) -> Curves:
    """Fit the gain of each dimension in its multiplier, and redraw it.

    Args:
        curves: trials along each dimension, with the shared base at multiplier 1.
        rng: source of all draws.
        resamples: number of resamples.
        forms: forms of the laws, by dimension; None for power laws with offset.

    Raises:
        Refusal: there is no shared base, or a curve does not support a law.
    """
    frames = [points.assign(size=points["multiplier"]) for points in curves.values()]
    check_base(frames)
    forms = forms or dict.fromkeys(curves, power())
    parts = zip(curves, frames, strict=True)
    laws = [fit(points, form=forms[name], delta=DELTA) for name, points in parts]
    thetas = redrawn_together(laws, frames, resamples=resamples, rng=rng)
    return Curves(list(curves), laws, thetas)


def rule_within(
    fits: Curves,
    cost: Callable[[dict[str, float]], float],
    *,
    budget_ratio: float,
    step: float = 0.5,
) -> Rule:
    """Find the best multipliers under a budget, as in `compound_rule`.

    Args:
        fits: from `fitted_curves`.
        cost: cost of a combination.
        budget_ratio: maximum cost, divided by that of the base.
        step: step of the grid.

    Raises:
        Refusal: the grid is too fine, or no combination is within the budget.
    """
    names, laws, thetas = fits
    axes = [_axis(law, step) for law in laws]
    index, costs = _feasible(names, axes, cost, budget_ratio=budget_ratio)
    own = [_gains(law, axis, law.theta[None]) for law, axis in zip(laws, axes, strict=True)]
    best = _best(own, index, costs)[0]
    drawn = [_gains(*part) for part in zip(laws, axes, thetas, strict=True)]
    picked = index[_best(drawn, index, costs)]
    chosen = [axis[picked[:, i]] for i, axis in enumerate(axes)]
    base = _base_error(laws, [law.theta[None] for law in laws])
    error = base * np.exp(_total(own, index[best]))
    errors = _base_error(laws, thetas) * np.exp(_total(drawn, index[best]))
    return Rule(
        multipliers={n: float(a[i]) for n, a, i in zip(names, axes, index[best], strict=True)},
        intervals={n: _ends(values) for n, values in zip(names, chosen, strict=True)},
        error=float(error[0]),
        low=_ends(errors)[0],
        high=_ends(errors)[1],
        cost=float(costs[best]),
        picks=_shares(dict(zip(names, chosen, strict=True))),
        considered=int(np.prod([len(axis) for axis in axes])),
        feasible=len(costs),
    )


def _axis(law: Law, step: float) -> Array:
    """Multipliers of a dimension: 1 and whole steps from it, within the measured range."""
    down = int((1 - law.smallest) / step + 1e-9)
    up = int((law.largest - 1) / step + 1e-9)
    steps = 1 + step * np.arange(-down, up + 1)
    return np.unique(np.append(steps, [law.smallest, law.largest]).round(9))


def _feasible(
    names: list[str],
    axes: list[Array],
    cost: Callable[[dict[str, float]], float],
    *,
    budget_ratio: float,
) -> tuple[Indices, Array]:
    """Combinations within the budget, as indices into the axes, and their cost ratios."""
    count = int(np.prod([len(axis) for axis in axes]))
    if count > _MOST:
        raise Refusal(f"{count:,} combinations are more than {_MOST:,}", "use larger steps")
    base = cost(dict.fromkeys(names, 1.0))
    index = np.array(list(product(*(range(len(axis)) for axis in axes))))
    ratios = np.array(
        [
            cost({n: float(a[i]) for n, a, i in zip(names, axes, row, strict=True)}) / base
            for row in index
        ]
    )
    keeps = ratios <= budget_ratio * (1 + 1e-12)
    if not keeps.any():
        raise Refusal(
            f"no combination costs {budget_ratio:g} x the base or less",
            f"the cheapest costs {np.nanmin(ratios):.3g} x",
        )
    return index[keeps], ratios[keeps]


def _gains(law: Law, axis: Array, theta: Array) -> Array:
    """Log of error(multiplier) / error(1): (b, multipliers)."""
    return np.log(law.errors(axis, theta=theta) / law.errors(np.ones(1), theta=theta))


def _total(gains: list[Array], row: Indices) -> Array:
    return np.asarray(sum(gain[:, i] for gain, i in zip(gains, row, strict=True)))


def _best(gains: list[Array], index: Indices, costs: Array) -> Indices:
    """The row of `index` that is best in each resample; the cheaper of equals."""
    order = np.argsort(costs, kind="stable")
    columns = index[order].T
    found = [
        np.argmin(sum(gain[i][column] for gain, column in zip(gains, columns, strict=True)))
        for i in range(len(gains[0]))
    ]
    return np.asarray(order[np.array(found)])


def _base_error(laws: list[Law], thetas: list[Array]) -> Array:
    """The base's error: the geometric mean of all curves at multiplier 1 (b,)."""
    seen = [law.errors(np.ones(1), theta=t)[:, 0] for law, t in zip(laws, thetas, strict=True)]
    return np.asarray(np.exp(np.log(seen).mean(axis=0)))


def _ends(values: Array) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _shares(chosen: dict[str, Array]) -> pd.DataFrame:
    counts = pd.DataFrame(chosen).value_counts(normalize=True)
    return counts.rename("share").reset_index()
