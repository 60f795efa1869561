"""Tests whether anything explains the scores: predictions of real against shuffled scores.

Takes features and scores of networks, and tells `analysis.questions.importance` when not to
report importance: shares of importance add up to 1 even where the scores are noise and there is
nothing to share.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.random import Generator

from analysis.statistics.intervals import FloatArray

_MOST = 400  # networks; an effect too small for these to show is not worth a share
_SHUFFLES = 999
_LENGTH = 0.6  # of the kernel for features in 0 to 1, times the root of their number
_CONSTANT = 1e4  # so that the common mean is hardly shrunk
_RIDGES = (0.03, 0.3, 3.0, 30.0)


class Explained(NamedTuple):
    """How well each network is predicted from all others.

    Attributes:
        r2: 1 minus the unexplained share of the variance; below 0, the mean of the others
            predicts better.
        p: how often shuffled scores are predicted as well.
        networks: number of networks used.
    """

    r2: float
    p: float
    networks: int


def explained(features: pd.DataFrame, scores: pd.Series, *, rng: Generator) -> Explained:
    """Predict each network's score from the others' by their features; compare with shuffled.

    The prediction is a ridge regression on Gaussian kernels, which captures curves and
    interactions, with each network left out in turn. All of this is linear in the scores
    (Golub, Heath and Wahba 1979), so that 999 shuffles cost no more than one; the smoothness is
    chosen anew for each shuffle.

    Args:
        features: (networks, features) numbers; if there are more than 400 networks, 400 are
            drawn.
        scores: scores of the same networks.
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
    """For each smoothness, the matrix that maps scores to fitted scores."""
    span = np.ptp(table, axis=0)
    scaled = (table - table.min(axis=0)) / np.where(span > 0, span, 1)
    squared = ((scaled[:, None, :] - scaled[None, :, :]) ** 2).sum(axis=2)
    kernel = np.exp(-squared / (2 * _LENGTH**2 * table.shape[1])) + _CONSTANT
    values, vectors = np.linalg.eigh(kernel)
    values = np.clip(values, 0, None)
    return [(vectors * (values / (values + ridge))) @ vectors.T for ridge in _RIDGES]


def _r2(hat: FloatArray, scores: FloatArray) -> FloatArray:
    """R2 of each column of scores, leaving out each network in turn."""
    count = len(scores)
    own = np.diag(hat)[:, None]
    missed = (scores - hat @ scores) / (1 - own)
    # The others' mean misses a score by n / (n - 1) times its distance from the overall mean.
    spread = ((scores - scores.mean(axis=0)) * count / (count - 1)) ** 2
    return np.asarray(1 - (missed**2).sum(axis=0) / spread.sum(axis=0), dtype=float)
