"""Tests whether networks vary equally over seeds, and estimates each network's variance.

Input: the residuals of trials after the model of `analysis.statistics.mixed`. Output:
variances. Noise is pooled over networks where their spreads look equal; otherwise a network
with a larger spread has its own (Satterthwaite 1946). The fewer seeds, the less a test can see,
so the sooner spreads are treated as different: with two seeds, always. A network with a smaller
spread keeps the pooled one: among many networks, some hardly vary by chance and would look
unlike all others.

Coverage of 95 % intervals, from 1,000 studies of 16 networks for each number: 95 to 99 % with
equal spreads; 94 to 98 % with five networks of 2.7 times the spread of the others; 95 % with
one network of 5 times the spread, 91 to 93 % for a pair with that very network; 94 to 98 % for
all pairs of 5 to 11 networks simultaneously (`benchmarks.coverage`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from analysis.statistics.intervals import FloatArray

IntArray = np.ndarray[Any, np.dtype[np.int64]]

# p of the test of equal spreads below which noisy networks get their own spread, by seeds.
_DOUBTED = {2: 1.1, 3: 0.75}
UNEQUAL = 0.25
_SHOWN_APART = 0.05  # the same where intervals are only shown side by side
_DRAWS = 4000  # for the test of equal spreads
_MOST = 4_000_000  # numbers drawn at most
_ROUNDS = 50  # iterations to solve for the networks' spreads
_LEAST = 0.05  # of the pooled variance, while solving: no network is without noise
_ROUNDING = 1e-12


def alike(squares: FloatArray, trials: IntArray, *, df: int, doubt: float) -> bool:
    """Whether one spread fits all networks: test the largest variance against the mean.

    The ratio is compared with that of networks of equal spread, drawn from a generator with a
    fixed seed, so that the same trials are always judged alike.

    Args:
        squares: (networks,) sums of squared residuals.
        trials: (networks,) number of trials of each.
        df: degrees of freedom of all residuals.
        doubt: p below which they are taken to differ.
    """
    several = trials > 1
    if several.sum() < 3 or df <= 0 or not squares.any():
        return True  # two networks have the same residuals, so nothing can be told
    freedom = trials[several] - 1
    rng = np.random.default_rng(0)
    draws = max(200, min(_DRAWS, _MOST // len(freedom)))
    chance = rng.chisquare(freedom, size=(draws, len(freedom)))
    largest = (chance / freedom).max(axis=1) / (chance.sum(axis=1) / freedom.sum())
    seen = (squares[several] / freedom).max() / (squares[several].sum() / freedom.sum())
    return bool((largest >= seen).mean() >= doubt)


def doubt_of(seeds: int) -> float:
    """The p below which the spreads of networks with this many seeds are taken to differ."""
    return _DOUBTED.get(seeds, UNEQUAL)


def spread_alike(groups: Sequence[ArrayLike]) -> bool:
    """Whether groups of values, such as the seeds of networks, have equal spreads.

    Args:
        groups: one row of values per network.
    """
    rows = [np.asarray(group, dtype=float) for group in groups]
    squares = np.array([float(((row - row.mean()) ** 2).sum()) for row in rows])
    trials = np.array([row.size for row in rows], dtype=np.int64)
    df = int((trials - 1).sum())
    return alike(squares, trials, df=df, doubt=_SHOWN_APART)


def spreads_of(
    squares: FloatArray,
    at: IntArray,
    within: FloatArray,
    inverse: FloatArray,
    *,
    pooled: float,
) -> tuple[FloatArray, FloatArray]:
    """The variance of each network, at least the pooled one.

    It excludes the other networks' noise in a network's residuals: the expected squares of
    network i are the sum over j of shares[i, j] * variance[j], since removing seed effects
    spreads noise over networks (MINQUE; Rao 1971). This is solved by repeated substitution, as
    the shares of others are small. A network with one trial has the pooled variance.

    Args:
        squares: (networks,) sums of squared residuals.
        at: (trials,) network of each trial.
        within: (trials, seeds) seed indicator of each trial, minus its network's mean.
        inverse: (seeds, seeds) inverse of `within.T @ within`.
        pooled: variance pooled over all networks.

    Returns:
        The variances, and the degrees of freedom of each; NaN where it is the pooled one. They
        are n - 1 for n trials, times the square of the share of a network's own noise in its
        residuals: subtracting the rest makes the variance as uncertain as one from that many
        fewer trials.
    """
    trials = np.bincount(at)
    seeds = within.shape[1]
    outer = np.zeros((len(trials), seeds, seeds))
    np.add.at(outer, at, within[:, :, None] * within[:, None, :])
    taken = inverse @ outer @ inverse  # (networks, seeds, seeds)
    cross = np.einsum("nij,nij->n", taken, outer)
    twice = np.einsum("ij,nij->n", inverse, outer)  # own noise that a network loses
    own = (trials - 1) - 2 * twice + cross
    several = (trials > 1) & (own > _ROUNDING)
    variance = np.full(len(trials), pooled)
    for _ in range(_ROUNDS):
        total = np.einsum("n,nij->ij", variance, outer)
        others = np.einsum("nij,ij->n", taken, total) - cross * variance
        solved = np.where(several, (squares - others) / np.where(several, own, 1), pooled)
        variance = np.maximum(solved, _LEAST * pooled)
    wide = several & (variance > pooled)
    of_its_own = np.where(wide, own * variance, 1.0)
    share = of_its_own / (of_its_own + np.where(wide, np.maximum(others, 0.0), 0.0))
    freedom = np.where(wide, (trials - 1) * share**2, np.nan)
    return np.where(wide, variance, pooled), freedom
