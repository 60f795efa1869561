"""Measures how far scores spread between seeds, once networks and seeds have had their share.

Goes in: scores of networks by seeds, with holes. Comes out: the standard deviation of what is
left of the additive model network + seed, by least squares, and its degrees of freedom.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

# Seeds below which a report lets each network have a spread of its own (analysis.statistics
# .spreads): of 2 it never pools them, of 3 in a quarter of studies whose spreads are equal.
POOLED_FROM = 4
_NONE = 1e-9  # an eigenvalue below this share of the largest is 0, rounded


class Spread(NamedTuple):
    """What chance adds to one trial's score.

    Attributes:
        sigma: standard deviation, in the unit of the scores.
        df: degrees of freedom behind it; 0 where nothing is known of chance.
        networks: that tell it: those with two trials or more.
        seeds: that these ran.
    """

    sigma: float
    df: int
    networks: int
    seeds: int


def spread_of(scores: npt.NDArray[np.float64]) -> Spread:
    """The spread of scores about network + seed.

    Args:
        scores: (networks, seeds), NaN where a network has no score of a seed.

    Returns:
        With sigma NaN and df 0 where no two networks share two seeds.
    """
    there = ~np.isnan(scores)
    scores = scores[there.sum(axis=1) >= 2]  # one trial says nothing of chance
    there = ~np.isnan(scores)
    counts = there.sum(axis=1, keepdims=True)
    networks, seeds = len(scores), int(there.any(axis=0).sum())
    if not networks:
        return Spread(np.nan, 0, 0, 0)
    away = np.where(there, scores, 0.0)
    away = np.where(there, away - away.sum(axis=1, keepdims=True) / counts, 0.0)
    shares = there / counts
    # The normal equations of the seeds, networks eliminated: as many as there are seeds.
    normal = np.diag(there.sum(axis=0)) - there.T.astype(float) @ shares
    # What shifts all seeds alike has an eigenvalue of 0, rounded: not to be divided by.
    of_seeds, _, rank, _ = np.linalg.lstsq(normal, away.sum(axis=0), rcond=_NONE)
    rest = np.where(there, away - of_seeds + (shares @ of_seeds)[:, None], 0.0)
    df = int(there.sum()) - networks - int(rank)
    if df <= 0:
        return Spread(np.nan, 0, networks, seeds)
    return Spread(float(np.sqrt((rest**2).sum() / df)), df, networks, seeds)
