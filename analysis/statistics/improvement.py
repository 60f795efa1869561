"""Estimates how often one population of scores beats another, and performance profiles.

Takes errors, one row per network, and gives estimates to questions. After Agarwal et al. 2021,
"Deep Reinforcement Learning at the Edge of the Statistical Precipice" (rliable,
arXiv:2108.13264), with networks in place of their tasks and seeds in place of their runs.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import ArrayLike
from scipy import stats

from analysis.statistics.intervals import (
    FloatArray,
    Interval,
    StatisticsError,
    checked,
    checked_level,
)

_RESAMPLES = 2000
FEWEST = 5


def chance_on_shared(
    a: Sequence[ArrayLike], b: Sequence[ArrayLike], *, rng: Generator, level: float = 0.95
) -> Interval:
    """The chance that a training in the first run has a lower error than one in the second.

    Args:
        a: errors by seed of each network in the first, n rows.
        b: errors of the same networks in the second, in the same order.
        rng: draws networks.
        level: confidence level.

    Returns:
        The mean over networks of the share of pairs of seeds in which the first has the lower
        error, ties counting half: Mann and Whitney's U of each network. Networks are resampled
        with all of their seeds, with percentiles as in
        `analysis.statistics.resampling.hierarchical_bootstrap`. There is no interval where all
        networks have the same share.

    Raises:
        StatisticsError: there are fewer than five networks, or an error is not finite.
    """
    if len(a) != len(b) or len(a) < FEWEST:
        raise StatisticsError(
            f"{min(len(a), len(b))} shared networks are fewer than {FEWEST}; train more of the "
            "same networks in both"
        )
    wins = [
        float(_wins(checked(one, name="first"), checked(other, name="second")).mean())
        for one, other in zip(a, b, strict=True)
    ]
    return _interval([np.array(wins)], rng=rng, level=level)


def chance_of_pairs(
    a: ArrayLike, b: ArrayLike, *, rng: Generator, level: float = 0.95
) -> Interval:
    """The chance that a network drawn from the first has a lower error than one of the second.

    Args:
        a: errors of n networks of the first.
        b: errors of m networks of the second.
        rng: draws networks.
        level: confidence level.

    Returns:
        The share of all pairs, ties counting half. Networks are resampled within each of the
        two (a stratified bootstrap) by the share of the other that each beats, which is the
        same to first order (Hajek's projection; DeLong et al. 1988) and takes n + m steps, not
        n m.

    Raises:
        StatisticsError: either has fewer than five networks, or an error is not finite.
    """
    first, second = checked(a, name="first"), checked(b, name="second")
    if min(first.size, second.size) < FEWEST:
        raise StatisticsError(
            f"{min(first.size, second.size)} networks are fewer than {FEWEST}; train more"
        )
    return _interval([_wins(first, second), 1 - _wins(second, first)], rng=rng, level=level)


def profile(
    errors: Sequence[ArrayLike], taus: ArrayLike, *, rng: Generator, level: float = 0.95
) -> pd.DataFrame:
    """The share of trainings with an error of at most tau, each network counting equally.

    Args:
        errors: errors by seed, for each network.
        taus: rising values of tau.
        rng: draws networks.
        level: confidence level of the band, which covers the whole profile simultaneously.

    Returns:
        `tau`, `share`, `low`, `high`: a band of constant width from a bootstrap over networks,
        with half a step added, as in `analysis.statistics.complexity.bootstrap_band`. No band
        for fewer than five networks.

    Raises:
        StatisticsError: an error is not finite.
    """
    checked_level(level)
    at = checked(taus, name="taus")
    shares = np.array(
        [
            np.searchsorted(np.sort(checked(row, name="errors")), at, side="right") / len(row)
            for row in (np.asarray(one) for one in errors)
        ]
    )
    n = len(shares)
    frame = pd.DataFrame(
        {"tau": at, "share": shares.mean(axis=0), "low": np.nan, "high": np.nan}
    )
    if n < FEWEST:
        return frame
    counts = rng.multinomial(n, np.full(n, 1 / n), size=500) / n
    far = np.abs(counts @ shares - frame["share"].to_numpy()).max(axis=1)
    width = float(np.quantile(far, level)) * np.sqrt(n / (n - 1)) + 1 / (2 * n)
    frame["low"] = (frame["share"] - width).clip(lower=0)
    frame["high"] = (frame["share"] + width).clip(upper=1)
    return frame


def _wins(a: FloatArray, b: FloatArray) -> FloatArray:
    """For each value of a, the share of b with a higher error, ties counting half."""
    rising = np.sort(b)
    below, upto = (np.searchsorted(rising, a, side=side) for side in ("left", "right"))
    return np.asarray(1 - (below + upto) / (2 * b.size), dtype=float)


def _interval(parts: Sequence[FloatArray], *, rng: Generator, level: float) -> Interval:
    """The interval of a mean whose parts are resampled independently."""
    checked_level(level)
    estimate, n = float(parts[0].mean()), min(part.size for part in parts)
    drawn = np.full(_RESAMPLES, estimate)
    for part in parts:
        picks = rng.integers(part.size, size=(_RESAMPLES, part.size), dtype=np.int32)
        drawn += part[picks].mean(axis=1) - part.mean()
    low = high = None
    if np.ptp(drawn) > 0:
        reach = np.sqrt(n / (n - 1)) * stats.t.ppf((1 + level) / 2, n - 1)
        ends = np.clip(np.quantile(drawn, stats.norm.cdf([-reach, reach])), 0, 1)
        low, high = (float(end) for end in ends)
    return Interval(estimate=estimate, low=low, high=high, n=n, level=level)
