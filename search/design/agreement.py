"""How well two scores rank the same networks alike: Kendall's tau_b, with an interval.

Takes two scores of each network, such as at an early epoch and at the last. Gives tau_b, and a
percentile interval of it by bootstrap over the networks.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_DRAWS = 2000
LEVEL = 0.9

_Scores = npt.NDArray[np.float64]


class Agreement(NamedTuple):
    """Kendall's tau_b, and the ends of its interval; NaN if one score ties all networks."""

    tau: float
    low: float
    high: float


def agreement(early: _Scores, late: _Scores, *, seed: int) -> Agreement:
    """How well two scores rank networks alike.

    Args:
        early: a score of each network.
        late: another score of each network.
        seed: seed of the bootstrap's draws.

    Returns:
        With an interval at `LEVEL`. Draws in which one score ties all networks give no ranking
        and are left out.
    """
    count = len(early)
    draws = np.random.default_rng(seed).integers(count, size=(_DRAWS, count))
    rows = np.arange(_DRAWS)[:, None] * count
    times = np.bincount((rows + draws).ravel(), minlength=_DRAWS * count)
    times = times.reshape(_DRAWS, count)
    whole = np.ones((1, count))
    signs = np.sign(early[:, None] - early), np.sign(late[:, None] - late)
    tau = float(_taus(*signs, times=whole)[0])
    taus = _taus(*signs, times=times.astype(float))
    taus = taus[~np.isnan(taus)]
    if np.isnan(tau) or not len(taus):
        return Agreement(tau, np.nan, np.nan)
    low, high = np.quantile(taus, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Agreement(tau, float(low), float(high))


def _taus(early: _Scores, late: _Scores, *, times: _Scores) -> _Scores:
    """tau_b of samples that hold each network a given number of times.

    Args:
        early: (networks, networks), the sign of each difference.
        late: the same for the other score.
        times: (samples, networks), how often each sample holds each network.
    """

    def pairs(signs: _Scores) -> _Scores:
        return np.asarray(((times @ signs) * times).sum(axis=1))

    untied = np.sqrt(pairs(early**2) * pairs(late**2))
    taus = np.full(len(times), np.nan)
    np.divide(pairs(early * late), untied, out=taus, where=untied > 0)
    return taus
