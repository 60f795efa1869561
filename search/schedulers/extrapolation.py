"""Extrapolates learning curves by an ensemble of power laws.

A member is y(e) = c + a (e + 1)**-b after e epochs: a falling curve with the asymptote c. Each
pair of an exponent b and an asymptote c below the lowest value so far has its best amplitude a,
by least squares, and weighs as much as it fits, by the noise of all curves, times how often its
exponent fitted trials that were trained whole. What members say of the last epoch has a mean
and a spread: wide after one epoch, when all of them fit. In the spirit of freeze-thaw (Swersky
et al., 2014, arXiv:1406.3896) and of ifBO (Rakotoarison et al., 2024, arXiv:2404.16795), which
have a Gaussian process and a trained network where this has a grid. Values are losses.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_EXPONENTS = np.geomspace(0.1, 3.0, 12)
_BELOW = np.array([0.0, 0.05, 0.1, 0.2, 0.4, 0.8])  # the lowest value, in ranges of all curves
_LEAST_NOISE = 0.005  # in ranges of all curves

_Curve = npt.NDArray[np.float64]


class Forecast(NamedTuple):
    """What a curve says of the last epoch: mean and standard deviation."""

    mean: float
    spread: float


class Extrapolation:
    """What all curves so far say of how one goes on.

    Args:
        curves: of all trials, from their first epoch on, each of one epoch or more.
        epochs: of a whole trial.
    """

    def __init__(self, curves: Sequence[_Curve], *, epochs: int) -> None:
        self._epochs = epochs
        values = np.concatenate(curves)
        self._range = float(values.max() - values.min())
        self._noise = max(_noise(curves), _LEAST_NOISE * self._range)
        self._log_prior = np.zeros(len(_EXPONENTS))
        whole = [curve for curve in curves if len(curve) == epochs]
        if whole and self._range:
            fitted = sum(self._members(curve)[0].sum(axis=1) for curve in whole)
            uniform = 1 / len(_EXPONENTS)  # worth one trial
            self._log_prior = np.log((fitted + uniform) / (len(whole) + 1))

    def forecast(self, curve: _Curve) -> Forecast:
        """What a curve will have reached at the last epoch; what it has, if it is whole."""
        if len(curve) >= self._epochs or not self._range:
            return Forecast(float(curve[-1]), 0.0)
        weights, ends = self._members(curve)
        mean = float((weights * ends).sum())
        variance = float((weights * (ends - mean) ** 2).sum())
        return Forecast(mean, float(np.hypot(np.sqrt(variance), self._noise)))

    def _members(self, curve: _Curve) -> tuple[_Curve, _Curve]:
        """(exponents, asymptotes): the weight of each member, and what it says of the end."""
        shapes = np.arange(2.0, len(curve) + 2.0) ** -_EXPONENTS[:, None, None]
        floors = (curve.min() - _BELOW * self._range)[:, None]
        above = curve - floors
        amplitudes = (shapes * above).sum(axis=-1) / (shapes**2).sum(axis=-1)
        misfits = ((amplitudes[..., None] * shapes - above) ** 2).sum(axis=-1)
        logs = self._log_prior[:, None] - misfits / (2 * self._noise**2)
        weights = np.exp(logs - logs.max())
        last = (self._epochs + 1.0) ** -_EXPONENTS[:, None]
        return weights / weights.sum(), floors[:, 0] + amplitudes * last


def _noise(curves: Sequence[_Curve]) -> float:
    """Standard deviation of one epoch, by second differences: a trend leaves little in them."""
    second = [np.diff(curve, 2) for curve in curves if len(curve) > 2]
    if not second:
        return 0.0
    return float(np.sqrt((np.concatenate(second) ** 2).mean() / 6))
