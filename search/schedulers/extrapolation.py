"""Extrapolates learning curves by an ensemble of falling shapes.

A member is y(e) = c + a s(e) after e epochs, where s falls from 1 at the first epoch towards 0:
a power law ((e + 1) / 2)**-b, or exp(-(e - 1) / t), for each b and t of a grid. Asymptote c and
height a have a wide normal prior, scaled to the range of all curves, so a member's forecast of
the last epoch is a normal distribution (Bayesian linear regression, with the noise of all
curves). A member's weight is the curve's likelihood under it, times how often its shape fitted
completely trained trials. All members together give a mean and a spread, which is wide after
one epoch, when all of them fit. This is in the spirit of freeze-thaw (Swersky et al., 2014,
arXiv:1406.3896) and of ifBO (Rakotoarison et al., 2024, arXiv:2404.16795), which use a Gaussian
process and a trained network where this uses a grid. Values are losses.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_POWERS = np.geomspace(0.1, 3.0, 16)  # exponents b
_TIMES = np.geomspace(0.02, 1.0, 16)  # t, in lengths of a whole trial
_LEAST_NOISE = 0.005  # relative to the range of all curves

_Curve = npt.NDArray[np.float64]


class Forecast(NamedTuple):
    """Forecast of a curve's last epoch: mean and standard deviation."""

    mean: float
    spread: float


class Extrapolation:
    """Extrapolates curves, using all curves so far.

    Args:
        curves: curves of all trials, from their first epoch on, each of at least one epoch.
        epochs: epochs of a complete trial.
    """

    def __init__(self, curves: Sequence[_Curve], *, epochs: int) -> None:
        self._epochs, self._shapes = epochs, _shapes(epochs)
        values = np.concatenate(curves)
        self._low, self._range = float(values.min()), float(np.ptp(values))
        self._noise = max(_noise(curves), _LEAST_NOISE * self._range)
        self._log_prior = np.zeros(len(self._shapes))
        whole = [curve for curve in curves if len(curve) == epochs]
        if whole and self._range:
            fitted = self._members(np.array(whole))[0].sum(axis=0)
            uniform = 1 / len(self._shapes)  # has the weight of one trial
            self._log_prior = np.log((fitted + uniform) / (len(whole) + 1))

    def forecasts(self, curves: Sequence[_Curve]) -> list[Forecast]:
        """The forecast of each curve's last epoch; for a complete curve its last value."""
        found = [Forecast(float(curve[-1]), 0.0) for curve in curves]
        for length in {len(curve) for curve in curves} if self._range else ():
            if length >= self._epochs:
                continue
            places = [i for i, curve in enumerate(curves) if len(curve) == length]
            weights, means, variances = self._members(np.array([curves[i] for i in places]))
            mean = (weights * means).sum(axis=1)
            away = variances + (means - mean[:, None]) ** 2
            spread = np.sqrt((weights * away).sum(axis=1) + self._noise**2)
            for place, *both in zip(places, mean, spread, strict=True):
                found[place] = Forecast(*map(float, both))
        return found

    def _members(self, curves: _Curve) -> tuple[_Curve, _Curve, _Curve]:
        """(curves, members): the weight, mean and variance of each member's forecast.

        Args:
            curves: (curves, epochs), of one length.
        """
        scaled = (curves - self._low) / self._range
        noise = (self._noise / self._range) ** 2
        # Asymptotes around the lowest of all values, heights around half the range.
        prior, precision = np.array([0.0, 0.5]), np.eye(2) * 4.0
        shapes = self._shapes[:, : curves.shape[1]]
        known = np.stack(np.broadcast_arrays(1.0, shapes), axis=-1)
        ahead = np.stack(np.broadcast_arrays(1.0, self._shapes[:, -1]), axis=-1)
        covariance = np.linalg.inv(known.transpose(0, 2, 1) @ known / noise + precision)
        pull = np.einsum("ce,kei->cki", scaled, known) / noise + precision @ prior
        fitted = np.einsum("kij,ckj->cki", covariance, pull)
        likely = (fitted * pull).sum(axis=-1) + np.linalg.slogdet(covariance).logabsdet
        logs = 0.5 * likely + self._log_prior
        weights = np.exp(logs - logs.max(axis=1, keepdims=True))
        means = self._low + self._range * (ahead * fitted).sum(axis=-1)
        variances = self._range**2 * np.einsum("ki,kij,kj->k", ahead, covariance, ahead)
        return weights / weights.sum(axis=1, keepdims=True), means, variances[None]


def _shapes(epochs: int) -> npt.NDArray[np.float64]:
    """(members, epochs): 1 at the first epoch."""
    after = np.arange(1.0, epochs + 1)
    powers = ((after + 1) / 2) ** -_POWERS[:, None]
    decays = np.exp(-(after - 1) / (_TIMES[:, None] * epochs))
    return np.vstack([powers, decays])


def _noise(curves: Sequence[_Curve]) -> float:
    """Standard deviation of one epoch, by second differences, which largely cancel a trend.

    It uses their median, because the first epochs are steep.
    """
    second = [np.diff(curve, 2) for curve in curves if len(curve) > 2]
    if not second:
        return 0.0
    return float(np.median(np.abs(np.concatenate(second))) / 0.6745 / np.sqrt(6))
