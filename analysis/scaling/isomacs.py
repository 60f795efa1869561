"""Finds the best network size for a training compute, from trials at several budgets.

Training compute is C = macs * epochs * images, in multiply-adds of forward passes. Trials with
nearly equal C form a budget; the best size of each is the minimum of a parabola through log
error against log size (approach 2 of Hoffmann et al., 2022), and a power law connects the
budgets. Columns required in addition to those of `analysis.scaling.points`: macs, and images
(per epoch).

The parabola is biased even without noise: a law is steeper for small networks than for large
ones, so a wide or off-centre grid of sizes moves its minimum (arXiv 2603.22339). Centre the
sizes in the same way at every budget, and compare with `direct`, the exponent of the joint law
fitted to all trials at once. If the two differ, do not trust the digits of either.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.scaling.forms import Array
from analysis.scaling.law import fit_joint
from analysis.scaling.noise import Spread, pooled
from analysis.scaling.points import Refusal, check_one, check_values

FEWEST = 5
_FEWEST_BUDGETS = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frontier:
    """Best size against training compute: size = at_one * C ** exponent.

    Args:
        budgets: one row per budget: compute (geometric mean), sizes, best_size, best_error, and
            reason, which is empty for those kept.
        exponent: exponent of the power law.
        low: end of its 95 % interval.
        high: end of its 95 % interval.
        at_one: factor of the power law.
        direct: beta / (alpha + beta) of L = E + A / N^alpha + B / D^beta over the same trials,
            with D = epochs * images.
        usable: share of resamples in which at least three budgets keep an interior minimum.
    """

    budgets: pd.DataFrame
    exponent: float
    low: float
    high: float
    at_one: float
    direct: float
    usable: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Budget:
    compute: float
    sizes: Array
    errors: Array
    spread: Spread | None
    reason: str


def isomacs(
    points: pd.DataFrame,
    *,
    rng: np.random.Generator,
    tolerance: float = 0.1,
    resamples: int = 1000,
) -> Frontier:
    """Find how the best size grows with training compute.

    Args:
        points: trials with the columns above; one recipe and one data set; epochs may differ.
        rng: source of all draws.
        tolerance: maximum relative spread of the compute of one budget's trials.
        resamples: number of resamples.

    Raises:
        Refusal: fewer than three budgets have an interior minimum among five or more sizes.
    """
    table = budgeted(points, tolerance)
    budgets = [_measured(part) for _, part in table.groupby("budget")]
    kept = [budget for budget in budgets if not budget.reason]
    if len(kept) < _FEWEST_BUDGETS:
        reasons = Counter(budget.reason for budget in budgets if budget.reason)
        why = "; ".join(f"of {count}: {reason}" for reason, count in reasons.items())
        raise Refusal(
            f"{len(kept)} budgets bracket a minimum, fewer than {_FEWEST_BUDGETS} ({why})",
            "train smaller or larger networks there, or more budgets",
        )
    compute = np.log([budget.compute for budget in kept])
    best = np.array([_vertex(b.sizes, np.log(b.errors)[:, None])[0] for b in kept])
    slope, level = _line(compute, best[:, None])
    drawn = _redrawn(kept, draws=resamples, rng=rng)
    usable = np.isfinite(drawn).sum(axis=0) >= _FEWEST_BUDGETS
    slopes, _ = _line(compute, drawn[:, usable])
    low, high = np.quantile(slopes, [0.025, 0.975])
    return Frontier(
        budgets=_table(budgets),
        exponent=float(slope[0]),
        low=float(low),
        high=float(high),
        at_one=float(np.exp(level[0])),
        direct=_direct(points),
        usable=float(usable.mean()),
    )


def budgeted(points: pd.DataFrame, tolerance: float = 0.1) -> pd.DataFrame:
    """Add to trials their compute and budget number; a new budget starts above the tolerance.

    Args:
        points: trials, as for `isomacs`.
        tolerance: maximum relative spread of the compute of one budget's trials.

    Raises:
        Refusal: a column is missing, or recipes or data are mixed.
    """
    missing = [column for column in ("macs", "images") if column not in points]
    if missing:
        raise Refusal(f"no column {', '.join(missing)}", "give MACs and images of an epoch")
    check_values(points)
    check_one(points, "recipe", "compare networks of one recipe")
    check_one(points, "data", "compare networks on one data set")
    table = points.assign(compute=points["macs"] * points["epochs"] * points["images"])
    table = table.sort_values("compute")
    first, number, numbers = 0.0, -1, []
    for compute in table["compute"]:
        if compute > first * (1 + tolerance):
            first, number = compute, number + 1
        numbers.append(number)
    return table.assign(budget=numbers)


def _measured(trials: pd.DataFrame) -> _Budget:
    """Compute the mean errors by size, their deviation from the parabola, and its usability."""
    groups = trials.groupby("size")["error"]
    means = groups.mean()
    sizes, errors = np.log(means.index.to_numpy(dtype=float)), means.to_numpy(dtype=float)
    reason, spread = _reason(sizes, errors), None
    if not reason:
        fitted = np.exp(np.polyval(np.polyfit(sizes, np.log(errors), 2), sizes))
        spread = Spread(
            between=float(((errors - fitted) ** 2).sum()),
            between_df=len(sizes) - 3,
            within=float((groups.transform(lambda e: e - e.mean()) ** 2).sum()),
            within_df=len(trials) - len(sizes),
        )
    compute = float(np.exp(np.log(trials["compute"]).mean()))
    return _Budget(compute=compute, sizes=sizes, errors=errors, spread=spread, reason=reason)


def _reason(sizes: Array, errors: Array) -> str:
    if len(sizes) < FEWEST:
        return f"{len(sizes)} sizes, fewer than {FEWEST}"
    if int(np.argmin(errors)) in (0, len(sizes) - 1):
        edge = "smallest" if np.argmin(errors) == 0 else "largest"
        return f"the {edge} network is the best, so the minimum is not bracketed"
    if not np.isfinite(_vertex(sizes, np.log(errors)[:, None])[0]):
        return "the parabola has no minimum among the sizes"
    return ""


def _vertex(sizes: Array, log_errors: Array) -> Array:
    """Log size of the parabola's minimum for each column (k, b); NaN if not inside."""
    centre = sizes.mean()
    bend, tilt, _ = np.polyfit(sizes - centre, log_errors, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        vertex = centre - tilt / (2 * bend)
    inside = (bend > 0) & (vertex > sizes.min()) & (vertex < sizes.max())
    return np.where(inside, vertex, np.nan)


def _redrawn(kept: list[_Budget], *, draws: int, rng: np.random.Generator) -> Array:
    """Log best size of each budget in each resample (budgets, b), NaN without a minimum.

    As in `analysis.scaling.noise`, with the parabola as the law and one standard deviation for
    all budgets.
    """
    total = pooled([budget.spread for budget in kept if budget.spread])
    deviation = np.sqrt(total.between / rng.chisquare(total.between_df, size=draws))
    rows = []
    for budget in kept:
        fit = np.polyfit(budget.sizes, np.log(budget.errors), 2)
        fitted = np.polyval(fit, budget.sizes)[:, None]
        strayed = rng.normal(size=(len(budget.sizes), draws)) * deviation
        rows.append(_vertex(budget.sizes, fitted + strayed / np.exp(fitted)))
    return np.stack(rows)


def _line(compute: Array, best: Array) -> tuple[Array, Array]:
    """Slope and level of a least-squares line for each column (k, b), leaving out NaN."""
    there = np.isfinite(best)
    count = there.sum(axis=0)
    at = np.where(there, compute[:, None], 0.0)
    value = np.where(there, best, 0.0)
    mean_at, mean = at.sum(axis=0) / count, value.sum(axis=0) / count
    off = np.where(there, at - mean_at, 0.0)
    slope = (off * (value - mean)).sum(axis=0) / (off**2).sum(axis=0)
    return slope, mean - slope * mean_at


def _direct(points: pd.DataFrame) -> float:
    examples = (points["epochs"] * points["images"]).to_numpy(dtype=float)
    shares = points["error"].to_numpy(dtype=float) / 100
    law = fit_joint(points["size"].to_numpy(dtype=float), examples, shares, starts=300)
    return law["beta"] / (law["alpha"] + law["beta"])


def _table(budgets: list[_Budget]) -> pd.DataFrame:
    rows = []
    for budget in budgets:
        best, error = np.nan, np.nan
        if not budget.reason:
            fit = np.polyfit(budget.sizes, np.log(budget.errors), 2)
            vertex = float(_vertex(budget.sizes, np.log(budget.errors)[:, None])[0])
            best, error = np.exp(vertex), np.exp(np.polyval(fit, vertex))
        rows.append((budget.compute, len(budget.sizes), best, error, budget.reason))
    columns = ["compute", "sizes", "best_size", "best_error", "reason"]
    return pd.DataFrame(rows, columns=columns)
