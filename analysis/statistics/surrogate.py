"""Tells whether anything explains the spread of scores: foretold scores against shuffled ones.

Takes what networks are and how they scored, and hands `analysis.questions.importance` the
reason not to speak of importance: shares of importance add up to 1 also where the scores are
noise and there is nothing to share.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.random import Generator

from analysis.statistics.intervals import FloatArray

_MOST = 400  # networks: what explains less than they can see is not worth a share
_SHUFFLES = 999
_LENGTH = 0.6  # of the kernel, where each feature spans 0 to 1, times the root of their number
_CONSTANT = 1e4  # what all networks have in common is hardly shrunken
_RIDGES = (0.03, 0.3, 3.0, 30.0)


class Explained(NamedTuple):
    """How well each network is foretold by all others.

    Attributes:
        r2: 1 less the share of the spread that is left; below 0 the mean of the others
            foretells better.
        p: how often shuffled scores are foretold as well.
        networks: that were looked at.
    """

    r2: float
    p: float
    networks: int


def explained(features: pd.DataFrame, scores: pd.Series, *, rng: Generator) -> Explained:
    """Foretell each network from the others, by what they are; then so of shuffled scores.

    By ridge regression on Gaussian kernels, which sees curves and interactions, each network
    left out in turn. All of that is linear in the scores (Golub, Heath and Wahba 1979), so
    that 999 shuffles cost no more than one; how smooth it is, is chosen anew for each.

    Args:
        features: (networks, features) numbers; of more than 400 networks 400 are drawn.
        scores: of the same networks.
        rng: draws networks and shuffles.
    """
    values = scores.to_numpy(dtype=float)
    table = features.to_numpy(dtype=float)
    if len(values) > _MOST:
        picked = rng.choice(len(values), size=_MOST, replace=False)
        values, table = values[picked], table[picked]
    shuffled = rng.permuted(np.tile(values, (_SHUFFLES, 1)), axis=1)
    every = np.vstack([values, shuffled]).T  # (networks, 1 + shuffles)
    best = np.max([_r2(hat, every) for hat in _hats(table)], axis=0)
    as_well = int((best[1:] >= best[0]).sum())
    return Explained(r2=float(best[0]), p=(1 + as_well) / (1 + _SHUFFLES), networks=len(values))


def _hats(table: FloatArray) -> list[FloatArray]:
    """For each smoothness the matrix that takes scores to what is fitted to them."""
    span = np.ptp(table, axis=0)
    scaled = (table - table.min(axis=0)) / np.where(span > 0, span, 1)
    squared = ((scaled[:, None, :] - scaled[None, :, :]) ** 2).sum(axis=2)
    kernel = np.exp(-squared / (2 * _LENGTH**2 * table.shape[1])) + _CONSTANT
    values, vectors = np.linalg.eigh(kernel)
    values = np.clip(values, 0, None)
    return [(vectors * (values / (values + ridge))) @ vectors.T for ridge in _RIDGES]


def _r2(hat: FloatArray, scores: FloatArray) -> FloatArray:
    """Of each column of scores, each network left out in turn."""
    count = len(scores)
    own = np.diag(hat)[:, None]
    missed = (scores - hat @ scores) / (1 - own)
    # The mean of the others misses by n / (n - 1) times the distance from the mean of all.
    spread = ((scores - scores.mean(axis=0)) * count / (count - 1)) ** 2
    return np.asarray(1 - (missed**2).sum(axis=0) / spread.sum(axis=0), dtype=float)
