"""Correlates ranks among networks of about the same size: what is left when size says nothing?

Takes one value of each network for two scores and a size, and hands Kendall's tau_b over the
pairs of networks of about the same size to questions.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.statistics.intervals import (
    FloatArray,
    Interval,
    StatisticsError,
    checked,
    checked_level,
    checked_pair,
)
from analysis.statistics.resampling import FEWEST_FOR_INTERVAL


def matched_correlation(
    a: ArrayLike, b: ArrayLike, sizes: ArrayLike, *, within: float, level: float = 0.95
) -> Interval:
    """Kendall's tau_b over those pairs of networks whose sizes are about equal.

    Pairs, not bins: no network is at the edge of one. And not the partial tau, which is not 0
    where two scores have nothing in common but size. The interval is by the jackknife over
    networks, as that of `analysis.statistics.resampling.rank_correlation`. What is left of size
    inside a pair is seen where it is itself one of the scores.

    Args:
        a: n values, one a network.
        b: n values of the same networks.
        sizes: of the same networks, above 0.
        within: by how much the larger of two may be larger: 0.1 for a tenth.
        level: of confidence.

    Returns:
        tau_b; its n counts the networks that have another of about their size.

    Raises:
        StatisticsError: fewer than eight networks have one, or one score ties all pairs.
    """
    checked_level(level)
    first, second = checked_pair(a, b, name="scores")
    size = checked(sizes, name="sizes")
    agree, *untied, partners = _sums(first, second, size, within)
    n = int((partners > 0).sum())
    if n < FEWEST_FOR_INTERVAL:
        raise StatisticsError(
            f"sizes: {n} of {size.size} networks have another within {within:.0%}, fewer than "
            f"{FEWEST_FOR_INTERVAL}; give more networks, or closer ones"
        )
    below = float(np.sqrt(untied[0].sum() * untied[1].sum()))
    if not below:
        raise StatisticsError(
            "scores: one of them is equal in every pair of about the same size; there is no "
            "order to correlate, so give networks that differ"
        )
    estimate = float(agree.sum() / below)
    # Without a network its pairs are gone, which stand in the sums from either side.
    with np.errstate(invalid="ignore", divide="ignore"):
        left = [row.sum() - 2 * row for row in (agree, *untied)]
        left_out = (left[0] / np.sqrt(left[1] * left[2]))[partners > 0]
    error = float(np.sqrt((n - 1) * left_out.var()))
    if not error > 1e-9:  # nor with NaN
        return Interval(estimate=estimate, low=None, high=None, n=n, level=level)
    reach = float(stats.t.ppf((1 + level) / 2, n - 1)) * error
    low, high = max(estimate - reach, -1.0), min(estimate + reach, 1.0)
    return Interval(estimate=estimate, low=low, high=high, n=n, level=level)


def _sums(
    a: FloatArray, b: FloatArray, size: FloatArray, within: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Over each network's partners: agreements, those untied in a and in b, their number."""
    order = np.argsort(size, kind="stable")
    a, b, size = a[order], b[order], size[order]
    ends = np.searchsorted(size, size * (1 + within), side="right")
    sums = np.zeros((4, size.size))
    for place, end in enumerate(ends):
        here = slice(place + 1, int(end))
        one, other = np.sign(a[here] - a[place]), np.sign(b[here] - b[place])
        each = np.array([one * other, one**2, other**2, np.ones_like(one)])
        sums[:, place] += each.sum(axis=1)
        sums[:, here] += each
    agree, untied_a, untied_b, partners = sums
    return agree, untied_a, untied_b, partners
