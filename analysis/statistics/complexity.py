"""Weights populations of networks as if their complexity were spread evenly.

Takes errors and MACs of networks, and gives weights and bands to questions. A space contains
some sizes more often than others; `neighbours` gives each network the share of the logarithmic
axis of MACs that it represents, as equal bins do (Radosavovic et al. 2019, arXiv:1905.13214),
but without treating all networks within a wide bin as alike.

Coverage of 95 % bands, in percent. The truth has uniform complexity over the sampled range,
over which error falls by the given number of standard deviations (300 studies each, +-1.3 %):

    density of networks         n     falls by   equal bins   `neighbours`
    any of five                 60    0          94 to 97     95 to 96
    any of five                 300   0          94 to 96     93 to 95
    uniform                     300   10         96           94
    Beta(2, 5), few expensive   60    10         95           98
    Beta(2, 5), few expensive   300   10         89           94
    two clusters and a gap      300   3          93           91

Over a gap the curve is a guess, which the band does not account for.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import ArrayLike

from analysis.statistics.edf import (
    IntArray,
    complexity_weights,
    dkw_band,
    edf,
    last_of_equals,
    members_of,
)
from analysis.statistics.intervals import (
    FloatArray,
    StatisticsError,
    checked,
    checked_level,
)

_NEIGHBOURS = 5  # networks in a stratum


class Strata(NamedTuple):
    """Networks grouped with their neighbours in MACs.

    Attributes:
        weights: weight of each network; their sum is 1.
        places: index of each network's stratum, from 0; each stratum has two networks or more.
    """

    weights: FloatArray
    places: IntArray


def neighbours(macs: ArrayLike) -> Strata:
    """Weight networks so that every part of the logarithmic axis of MACs counts equally.

    The networks of a stratum of five neighbours share the width of the axis that it covers,
    from halfway to the stratum before to halfway to the stratum after. Where networks are
    dense, strata are narrow, so that density hardly varies within one; across a gap nothing is
    known, and its width goes to the strata at its ends. Networks of equal MACs are in one
    stratum.

    Args:
        macs: MACs of each network, above 0.

    Raises:
        StatisticsError: there are fewer than two networks, or MACs are not above 0.
    """
    cost = checked(macs, name="MACs")
    if cost.size < 2 or cost.min() <= 0:
        raise StatisticsError(
            f"MACs: {cost.size} network(s), the cheapest {cost.min():g}; give two or more "
            "above 0"
        )
    log = np.log(cost)
    order = np.argsort(log, kind="stable")
    rising = log[order]
    begins = _begins(rising)
    places = np.empty(log.size, dtype=np.int64)
    places[order] = np.searchsorted(begins, np.arange(log.size), side="right") - 1
    inner = (rising[begins[1:] - 1] + rising[begins[1:]]) / 2
    widths = np.diff(np.concatenate([rising[:1], inner, rising[-1:]]))
    if len(begins) == 1:
        widths = np.ones(1)
    share = (widths / np.bincount(places))[places]
    return Strata(share / share.sum(), places)


def bootstrap_band(
    errors: ArrayLike,
    *,
    rng: Generator,
    bins: IntArray | None = None,
    weights: FloatArray | None = None,
    resamples: int = 1000,
    level: float = 0.95,
) -> pd.DataFrame:
    """The EDF of one space with a simultaneous band for the whole true EDF.

    A band of constant width, like `dkw_band`, but for the weighted EDF, where DKW is not valid.
    It uses a multiplier bootstrap (van der Vaart and Wellner 1996, section 2.9) inside each
    bin: each network's step is multiplied by a normal number, minus the mean of its bin, scaled
    by sqrt(m / (m - 1)) for m networks in it. Half a step, 1 / (2 n), is added, because the
    resampled curves are seen at n errors only and the true one everywhere. Resampling pairs of
    error and weight instead would treat what complexity explains as noise: 98 to 99 % of such
    95 % bands then contained the truth. Where no errors differ within a bin, nothing can be
    resampled, and the band is DKW's for the effective number of networks of the weights.

    The module's docstring gives its coverage.

    Args:
        errors: n errors.
        rng: draws the multipliers.
        bins: bin of each network, from `complexity_bins` or `neighbours`; None puts all in one.
        weights: weight of each network, from `neighbours`; None counts every bin equally.
        resamples: number of resampled curves.
        level: confidence level.

    Returns:
        As `edf`, with `low` and `high`, clipped to 0 and 1. They apply from each row's error up
        to the next row's.

    Raises:
        StatisticsError: lengths differ, or a bin has only one network.
    """
    checked_level(level)
    values = checked(errors, name="errors")
    members = members_of(values, bins, name="errors and bins")
    counts = np.bincount(members)
    if counts.min() < 2:
        raise StatisticsError(
            f"bins: bin {np.argmin(counts)} holds {counts.min()} network(s), and no spread can "
            "be seen in it; take fewer bins"
        )
    if weights is None:
        weights = complexity_weights(members)
    width = _width(values, weights, members, rng=rng, resamples=resamples, level=level)
    curve = edf(values, weights)
    return curve.assign(
        low=(curve["fraction"] - width).clip(lower=0),
        high=(curve["fraction"] + width).clip(upper=1),
    )


def _begins(rising: FloatArray) -> IntArray:
    """Indices where strata begin: every fifth network, moved to where MACs change."""
    n = rising.size
    count = max(n // _NEIGHBOURS, 1)
    wanted = (np.arange(count) * n + count - 1) // count
    begins = np.unique(np.searchsorted(rising, rising[wanted], side="left"))
    sizes = np.diff(np.append(begins, n))
    # A single network has no spread: it joins the stratum before it, or after it if first.
    kept = begins[(sizes > 1) | (begins == 0)]
    if kept.size > 1 and kept[1] == 1:
        kept = np.delete(kept, 1)
    return np.asarray(kept, dtype=np.int64)


def _width(
    values: FloatArray,
    weights: FloatArray,
    members: IntArray,
    *,
    rng: Generator,
    resamples: int,
    level: float,
) -> float:
    counts = np.bincount(members)
    order = np.argsort(values, kind="stable")
    sorted_in = members[order]
    steps = rng.standard_normal((resamples, values.size))  # in the order of the errors
    steps *= weights[order]
    begins = np.concatenate([[0], np.cumsum(counts)[:-1]])
    by_bin = steps[:, np.argsort(sorted_in, kind="stable")]
    steps -= (np.add.reduceat(by_bin, begins, axis=1) / counts)[:, sorted_in]
    steps *= np.sqrt(counts / (counts - 1))[sorted_in]
    np.cumsum(steps, axis=1, out=steps)
    last = last_of_equals(values[order])
    far = np.abs(steps if last.all() else steps[:, last]).max(axis=1)
    reach = float(np.quantile(far, level))
    if reach < 1e-9:  # only rounding errors
        return dkw_band(max(int(1 / (weights**2).sum() + 1e-6), 1), level)
    return reach + 1 / (2 * values.size)
