"""Tells whether networks spread alike over seeds, and how far each spreads for itself.

Goes in: what is left of trials after the model of `analysis.statistics.mixed`. Come out:
variances. Noise is pooled over networks where their spreads look alike; else a network that
spreads farther has its own (Satterthwaite 1946). The fewer seeds, the less a test sees, and
the sooner that is so: with two seeds always. A network that spreads less keeps the pooled
one: of many some hardly vary by chance, and would look unlike all others.

Of 95 % intervals held the truth, in 1,000 studies of 16 networks for each number: with equal
spreads 95 to 99 %; with five networks of 2.7 times the spread of the others 94 to 98 %; with
one of 5 times the spread 95 %, of a pair with that very network 91 to 93 %; of all pairs of 5
to 11 networks at once 94 to 98 % (`benchmarks.coverage`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from analysis.statistics.intervals import FloatArray

IntArray = np.ndarray[Any, np.dtype[np.int64]]

# p of the test of equal spreads below which noisy networks have their own, by seeds.
_DOUBTED = {2: 1.1, 3: 0.75}
UNEQUAL = 0.25
_SHOWN_APART = 0.05  # the same where intervals are only drawn beside each other
_DRAWS = 4000  # of the test of equal spreads
_MOST = 4_000_000  # numbers that it draws at most
_ROUNDS = 50  # of the solution for the networks' spreads
_LEAST = 0.05  # of the pooled variance, while it is solved: none is without noise
_ROUNDING = 1e-12


def alike(squares: FloatArray, trials: IntArray, *, df: int, doubt: float) -> bool:
    """Whether one spread may stand for all networks: the largest against its mean, by chance.

    The chance is that of networks of equal spread, drawn from a generator of fixed seed, so
    that the same trials are always judged alike.

    Args:
        squares: (networks,) sums of squared residuals.
        trials: (networks,) how many each has.
        df: degrees of freedom of all residuals.
        doubt: p below which they are taken to differ.
    """
    several = trials > 1
    if several.sum() < 3 or df <= 0 or not squares.any():
        return True  # of two networks each residual is the other's: nothing to tell apart
    freedom = trials[several] - 1
    rng = np.random.default_rng(0)
    draws = max(200, min(_DRAWS, _MOST // len(freedom)))
    chance = rng.chisquare(freedom, size=(draws, len(freedom)))
    largest = (chance / freedom).max(axis=1) / (chance.sum(axis=1) / freedom.sum())
    seen = (squares[several] / freedom).max() / (squares[several].sum() / freedom.sum())
    return bool((largest >= seen).mean() >= doubt)


def doubt_of(seeds: int) -> float:
    """The p below which networks with so many seeds are taken to spread unlike each other."""
    return _DOUBTED.get(seeds, UNEQUAL)


def spread_alike(groups: Sequence[ArrayLike]) -> bool:
    """Whether groups of values, such as the seeds of networks, spread alike about their means.

    Args:
        groups: one row of values a network.
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
    """Variance of each network, at least the pooled one.

    Without the share of the others' noise in its residuals: the squares of network i are
    expected to be the sum over j of shares[i, j] * variance[j], since taking seeds out spreads
    noise over networks (MINQUE; Rao 1971). Solved by repeated substitution, for shares of
    others are small. A network with one trial has the pooled one.

    Args:
        squares: (networks,) sums of squared residuals.
        at: (trials,) network of each.
        within: (trials, seeds) which seed each has, less the mean of its network's.
        inverse: (seeds, seeds) of `within.T @ within`.
        pooled: variance that all networks have together.

    Returns:
        The variances, and the degrees of freedom of each; NaN where it is the pooled one. Of n
        trials n - 1, times the square of the share that a network's own noise has in its
        residuals: to take the rest away spreads a variance as if it came of so many fewer.
    """
    trials = np.bincount(at)
    seeds = within.shape[1]
    outer = np.zeros((len(trials), seeds, seeds))
    np.add.at(outer, at, within[:, :, None] * within[:, None, :])
    taken = inverse @ outer @ inverse  # (networks, seeds, seeds)
    cross = np.einsum("nij,nij->n", taken, outer)
    twice = np.einsum("ij,nij->n", inverse, outer)  # what a network loses of its own noise
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
