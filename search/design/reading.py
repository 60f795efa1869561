"""Reads the mean score of a series of networks at a size that none of them may have."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_DEGREE = 3  # of the polynomial through the series
_SAME = 1.25  # ratio of its sizes below which it is read at its mean
_MOST_WEIGHT = 1.5  # of one network; more would multiply its noise
_AHEAD = 0.05  # share of its range, in logarithms, by which the curve is extrapolated

FloatArray = npt.NDArray[np.float64]


def reading(sizes: Sequence[float], at: Sequence[float]) -> FloatArray:
    """The weight of each network of a series in its score at other sizes.

    The score is read from the cubic in the logarithm of size that fits the series best.
    Straight lines between two networks would lie below a curve that flattens. Where sizes are
    so near each other that a network would weigh more than 1.5, the degree is lower. Where all
    differ by less than a quarter, as if one dimension is solved for the budget, the score is
    the mean of the series: such sizes differ only because widths are rounded.

    Args:
        sizes: parameters or multiply-adds of the networks, two or more.
        at: the sizes at which they are read.

    Returns:
        (at, sizes); each row adds up to 1.
    """
    known, places = np.log(sizes), np.log(at)
    # A curve through nearly equal sizes must not be extrapolated far.
    places = np.minimum(places, known.max() + _AHEAD * np.ptp(known))
    mean = np.full((len(places), len(known)), 1 / len(known))
    if np.ptp(known) < np.log(_SAME):
        return mean
    for degree in range(min(_DEGREE, len({*known.tolist()}) - 1), 0, -1):
        weights = _weights(known, places, degree)
        if np.abs(weights).max(initial=0.0) <= _MOST_WEIGHT:
            return weights
    return mean


def _weights(sizes: FloatArray, at: FloatArray, degree: int) -> FloatArray:
    middle = sizes.mean()
    through, read = (np.vander(values - middle, degree + 1) for values in (sizes, at))
    weights: FloatArray = read @ np.linalg.pinv(through)
    return weights
