"""Compares empirical distribution functions (EDF): whole populations, not their best networks.

Takes errors and MACs, one of each per network, from analysis.runs.tables, and gives tidy tables
to plots and tests to the report. After Radosavovic et al. 2019, "On Network Design Spaces for
Visual Recognition" (NDS, arXiv:1905.13214).

Two spaces whose networks differ in cost are compared at equal cost: `complexity_bins` sorts
both into the same bins of MACs, and `complexity_weights` counts every bin equally.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analysis.statistics.intervals import (
    FloatArray,
    StatisticsError,
    checked,
    checked_level,
    checked_pair,
)

IntArray = NDArray[np.int64]

_MOST_BINS = 20
_FEWEST_IN_BIN = 5  # with fewer, band and test depend on single networks


@dataclass(frozen=True, slots=True, kw_only=True)
class KS:
    """The largest distance between two EDFs, and how often chance alone would exceed it.

    Attributes:
        statistic: the distance, from 0 to 1.
        p: two-sided p value.
    """

    statistic: float
    p: float


def complexity_bins(groups: Sequence[ArrayLike], *, bins: int | None = None) -> list[IntArray]:
    """Sort the networks of several spaces into the same log-spaced bins of complexity.

    Args:
        groups: MACs of each space's networks.
        bins: number of bins from the cheapest to the most expensive of all networks. None takes
            the largest number, from 20 down to 2, that leaves five or more networks of every
            space in each bin.

    Returns:
        For each space, the bin of each network, counted from 0.

    Raises:
        StatisticsError: a bin is empty in one of the spaces, or no number of bins leaves five
            networks in each.
    """
    rows = [checked(group, name=f"MACs of space {i}") for i, group in enumerate(groups)]
    if not rows:
        raise StatisticsError("groups: there is none; give the MACs of one space or more")
    low = min(float(row.min()) for row in rows)
    high = max(float(row.max()) for row in rows)
    if low <= 0:
        raise StatisticsError(f"MACs: {low} is not positive; give the cost of each network")
    if bins is None:
        return _fitting_bins(rows, low=low, high=high)
    if bins < 1:
        raise StatisticsError(f"bins: {bins} is not one or more; write 10, or leave it out")
    sorted_in = [_bin(row, low=low, high=high, bins=bins) for row in rows]
    for space, members in enumerate(sorted_in):
        counts = np.bincount(members, minlength=bins)
        if not counts.all():
            place = int(np.argmin(counts))
            edges = low * (high / low) ** (np.array([place, place + 1]) / bins)
            raise StatisticsError(
                f"bins: space {space} has no network from {edges[0]:.3g} to {edges[1]:.3g} "
                f"MACs (bin {place} of 0 to {bins - 1}); take fewer bins, train networks "
                "there, or compare the range that all spaces reach"
            )
    return sorted_in


def complexity_weights(bins: IntArray) -> FloatArray:
    """Weight networks so that every bin of complexity counts equally.

    Args:
        bins: bin of each network of one space, from `complexity_bins`; none is empty.

    Returns:
        1 / (networks in its bin * number of bins) for each network; the sum is 1 (NDS).
    """
    counts = np.bincount(bins)
    assert counts.all(), "complexity_bins leaves none empty"
    return 1 / (counts[bins] * counts.size)


def edf(errors: ArrayLike, weights: ArrayLike | None = None) -> pd.DataFrame:
    """The share of networks at or below each error.

    Args:
        errors: n errors.
        weights: n weights, at least 0; equal if None. They are scaled to a sum of 1.

    Returns:
        One row per distinct error, in rising order: `error` and `fraction`, the sum of the
        weights of all networks with at most that error; the last is 1.

    Raises:
        StatisticsError: lengths differ, a weight is negative, or none is above 0.
    """
    values = checked(errors, name="errors")
    if weights is None:
        weights = np.ones(values.size)
    values, share = checked_pair(values, weights, name="errors and weights")
    if share.min() < 0 or share.max() == 0:
        raise StatisticsError(
            f"weights: from {share.min()} to {share.max()}; none may be negative and one "
            "must be above 0"
        )
    order = np.argsort(values, kind="stable")
    last = last_of_equals(values[order])
    risen = np.cumsum(share[order])
    # The total may differ from 1 by rounding, but the EDF must end at 1.
    return pd.DataFrame({"error": values[order][last], "fraction": (risen / risen[-1])[last]})


def dkw_band(n: int, level: float = 0.95) -> float:
    """Half the width of a band that contains the whole true EDF, without weights.

    Args:
        n: number of networks, drawn independently.
        level: minimum share of such bands that contain it, for any distribution.

    Returns:
        sqrt(log(2 / (1 - level)) / (2 n)), in shares: 0.136 at n = 100, 0.061 at n = 500
        (Dvoretzky, Kiefer and Wolfowitz 1956; the constant is Massart's, 1990).
    """
    if n < 1:
        raise StatisticsError(f"n: {n} networks have no EDF; give one or more")
    return float(np.sqrt(np.log(2 / (1 - checked_level(level))) / (2 * n)))


def ks(a: ArrayLike, b: ArrayLike) -> KS:
    """Test whether two spaces have the same EDF: scipy's Kolmogorov-Smirnov test.

    Args:
        a: errors of the first space.
        b: errors of the second space.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # with many ties p is asymptotic
        result = stats.ks_2samp(checked(a, name="first"), checked(b, name="second"))
    return KS(statistic=float(result.statistic), p=float(result.pvalue))


def _bin(macs: FloatArray, *, low: float, high: float, bins: int) -> IntArray:
    if low == high:
        return np.zeros(macs.size, dtype=np.int64)
    place = np.log(macs / low) / np.log(high / low) * bins
    return np.asarray(np.clip(place, 0, bins - 1), dtype=np.int64)  # rounds down


def _fitting_bins(rows: Sequence[FloatArray], *, low: float, high: float) -> list[IntArray]:
    if low == high:
        return [_bin(row, low=low, high=high, bins=1) for row in rows]
    for bins in range(_MOST_BINS, 1, -1):
        sorted_in = [_bin(row, low=low, high=high, bins=bins) for row in rows]
        fewest = min(np.bincount(members, minlength=bins).min() for members in sorted_in)
        if fewest >= _FEWEST_IN_BIN:
            return sorted_in
    raise StatisticsError(
        f"bins: even two leave fewer than {_FEWEST_IN_BIN} networks of a space in one of them; "
        "give more networks or, to compare without regard to complexity, bins=1"
    )


def members_of(values: FloatArray, bins: IntArray | None, *, name: str) -> IntArray:
    """The bin of each value; all in one bin where no bins are given."""
    if bins is None:
        return np.zeros(values.size, dtype=np.int64)
    checked_pair(values, bins, name=name)
    return bins


def last_of_equals(rising: FloatArray) -> NDArray[np.bool_]:
    """Tell which of the rising values are the last in their run of equal values."""
    return np.append(rising[1:] != rising[:-1], True)
