"""Estimates how far networks deviate from a law, and draws new data that deviate as much.

Input: fitted laws and their trials. Output: thousands of draws of the same trials, for refits.

Each draw is the law plus, for each network, a deviation of its mean and, for each seed, a
deviation from that mean; both normal in percentage points. The variance of the former is the
residual sum of squares between network means and the law divided by (networks - parameters);
that of the latter is pooled over networks. Both variances are themselves drawn anew each time
(from their scaled inverse chi-square), so percentiles of refits are as wide as Student's t
requires for few networks. Deviations between networks contain both the remaining seed noise and
the law's misfit.

Reason: coverage of the curve by 95 % intervals in simulations of 15 + 20 x^-0.6, with 3 seeds
of sd 0.5 points and sizes over a factor of 32. Columns: number of networks / sd between
networks in points:

                              6 / 0   6 / 0.3   6 / 0.6   30 / 0   4 / 0    delta, simulations
    this                      0.956   0.952     0.953     0.948    0.973    0.03, 200 to 300
    seeds' variance only      0.946   0.838     0.636     0.949    0.942    0.03
    pooled unless F p < 0.25  0.962   0.937     0.936     0.949    0.953    0.03
    this                      0.968             0.962*    0.948    0.981    0.001, 500 (* 0.5)
    networks redrawn          0.837                                         0.001, 150
    and then seeds redrawn    0.990                                         0.001, 150

The price is width: with 4 networks only one residual is left, and the band is four times as
wide as with the seeds' variance alone. Train six or more. The sd in points is assumed to be
equal for all sizes; if it is equal in log error instead, coverage runs from 0.89 at the small
to 0.98 at the large end.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.scaling.forms import Array
from analysis.scaling.points import Indices, Refusal, cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Sums of squares in squared percentage points, with their degrees of freedom.

    Args:
        between: sum of squares of network means about the law.
        between_df: number of networks minus free parameters.
        within: sum of squares of seeds about their network's mean.
        within_df: number of rows minus networks.
    """

    between: float
    between_df: int
    within: float
    within_df: int


def spread(points: pd.DataFrame, fitted: Array, *, free: int) -> Spread:
    """Measure how far trials deviate from a law.

    Args:
        points: trials, n rows.
        fitted: error of the least-squares law at each row, in percent (n,).
        free: number of parameters of the law that are not at a bound.

    Raises:
        Refusal: there are not more networks than free parameters.
    """
    cell = cells(points)
    count = np.bincount(cell)
    residual = points["error"].to_numpy(dtype=float) - fitted
    mean = np.bincount(cell, residual) / count
    if len(count) <= free:
        raise Refusal(
            f"{len(count)} networks leave nothing to judge {free} parameters by",
            "train more networks, or fit a form with fewer parameters",
        )
    return Spread(
        between=float((mean**2).sum()),
        between_df=len(count) - free,
        within=float(((residual - mean[cell]) ** 2).sum()),
        within_df=len(points) - len(count),
    )


def pooled(spreads: Sequence[Spread]) -> Spread:
    """Add up the spreads of several laws whose networks deviate with equal variance."""
    return Spread(
        between=sum(part.between for part in spreads),
        between_df=sum(part.between_df for part in spreads),
        within=sum(part.within for part in spreads),
        within_df=sum(part.within_df for part in spreads),
    )


def deviations(spread: Spread, cell: Indices, *, draws: int, rng: np.random.Generator) -> Array:
    """Draw the deviation of each row from the law, in percentage points.

    Args:
        spread: the measured spread.
        cell: index of each row's network (n,), from `cells`.
        draws: number of draws.
        rng: source of all draws.

    Returns:
        (draws, n). The mean over a network's rows is its own deviation.
    """
    networks = int(cell.max()) + 1
    own = rng.normal(size=(draws, networks)) * _deviation(
        spread.between, spread.between_df, draws=draws, rng=rng
    )
    seeds = rng.normal(size=(draws, len(cell)))
    if spread.within_df:
        seeds *= _deviation(spread.within, spread.within_df, draws=draws, rng=rng)
    means = np.stack([seeds[:, cell == i].mean(axis=1) for i in range(networks)], axis=1)
    return np.asarray((own - means)[:, cell] + seeds)


def _deviation(total: float, df: int, *, draws: int, rng: np.random.Generator) -> Array:
    return np.sqrt(total / rng.chisquare(df, size=(draws, 1)))


def shared_deviations(
    frames: Sequence[pd.DataFrame], spread: Spread, *, draws: int, rng: np.random.Generator
) -> list[Array]:
    """Draw deviations for several sets of trials; a row in two sets has one deviation.

    Args:
        frames: trials of each law; the same (network, seed) is the same trial.
        spread: spread pooled over the laws.
        draws: number of draws.
        rng: source of all draws.

    Returns:
        (draws, n) for each frame.
    """
    key = ["network", "seed"]
    union = pd.concat(frames).drop_duplicates(key).reset_index(drop=True)
    drawn = deviations(spread, cells(union), draws=draws, rng=rng)
    index = pd.MultiIndex.from_frame(union[key])
    return [drawn[:, index.get_indexer(pd.MultiIndex.from_frame(f[key]))] for f in frames]
