"""Correlates ranks among networks of similar size, to exclude what size alone explains.

Takes two scores and a size of each network, and gives questions Kendall's tau_b over the pairs
of networks of about the same size.
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

    Pairs are used instead of bins, because no network is then at the edge of a bin; and instead
    of the partial tau, which is not 0 where two scores have nothing in common but size. The
    interval is by the jackknife over networks, as in
    `analysis.statistics.resampling.rank_correlation`. To see what effect of size remains inside
    pairs, use size itself as one of the scores.

    Args:
        a: n values, one per network.
        b: n values of the same networks.
        sizes: sizes of the same networks, above 0.
        within: by how much the larger of a pair may be larger: 0.1 for a tenth.
        level: confidence level.

    Returns:
        tau_b; its `n` is the number of networks with another of about their size.

    Raises:
        StatisticsError: fewer than eight networks have such a partner, or one score is equal in
            all pairs.
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
    # Removing a network removes its pairs, which each sum counts from both sides.
    with np.errstate(invalid="ignore", divide="ignore"):
        left = [row.sum() - 2 * row for row in (agree, *untied)]
        left_out = (left[0] / np.sqrt(left[1] * left[2]))[partners > 0]
    error = float(np.sqrt((n - 1) * left_out.var()))
    if not error > 1e-9:  # also true for NaN
        return Interval(estimate=estimate, low=None, high=None, n=n, level=level)
    reach = float(stats.t.ppf((1 + level) / 2, n - 1)) * error
    low, high = max(estimate - reach, -1.0), min(estimate + reach, 1.0)
    return Interval(estimate=estimate, low=low, high=high, n=n, level=level)


def _sums(
    a: FloatArray, b: FloatArray, size: FloatArray, within: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Sums over each network's partners: agreements, untied in a, untied in b, their number."""
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
