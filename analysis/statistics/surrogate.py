"""Tells whether anything explains the spread of scores: a forest against shuffled scores.

Takes what networks are and how they scored, and hands `analysis.questions.importance` the
reason not to speak of importance: shares of importance add up to 1 also where the scores are
noise and there is nothing to share.
"""

import warnings
from typing import NamedTuple

import pandas as pd
from numpy.random import Generator
from sklearn.ensemble import RandomForestRegressor

from analysis.statistics.intervals import FloatArray

_TREES = 24
_MOST = 120  # networks: what explains less than they can see is not worth a share
_SHUFFLES = 99
_ENOUGH = 8  # shuffles as good as the scores: p is then known (Besag and Clifford 1991)


class Explained(NamedTuple):
    """What a forest foretells of networks that its trees have not seen.

    Attributes:
        r2: out-of-bag: 1 less the share of the spread that is left; below 0 the mean of all
            networks foretells better.
        p: how often a forest foretells shuffled scores as well.
        networks: that were looked at.
    """

    r2: float
    p: float
    networks: int


def explained(features: pd.DataFrame, scores: pd.Series, *, rng: Generator) -> Explained:
    """Fit a forest, then the same to shuffled scores, 99 times or until 8 do as well.

    Args:
        features: (networks, features) numbers; of more than 120 networks 120 are drawn.
        scores: of the same networks.
        rng: draws networks, shuffles and the forests' seeds.
    """
    values = scores.to_numpy(dtype=float)
    table = features.to_numpy(dtype=float)
    if len(values) > _MOST:
        picked = rng.choice(len(values), size=_MOST, replace=False)
        values, table = values[picked], table[picked]
    seen, as_well, shuffles = _fit(table, values, rng=rng), 0, 0
    while shuffles < _SHUFFLES and as_well < _ENOUGH:
        as_well += _fit(table, rng.permutation(values), rng=rng) >= seen
        shuffles += 1
    p = as_well / shuffles if as_well == _ENOUGH else (1 + as_well) / (1 + shuffles)
    return Explained(
        r2=seen,
        p=p,
        networks=len(values),
    )


def _fit(table: FloatArray, values: FloatArray, *, rng: Generator) -> float:
    """Out-of-bag R2 of a forest."""
    forest = RandomForestRegressor(
        n_estimators=_TREES,
        oob_score=True,
        min_samples_leaf=2,
        max_features=0.7,
        random_state=int(rng.integers(2**31)),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a network that every tree has seen
        forest.fit(table, values)
    return float(forest.oob_score_)
