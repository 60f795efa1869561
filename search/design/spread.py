"""Measures the spread of scores between seeds, after removing effects of networks and seeds.

Takes scores of networks by seeds, with gaps. Gives the standard deviation of the residuals of
the additive model network + seed, by least squares, and its degrees of freedom.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

# With fewer seeds a report may give each network its own spread (analysis.statistics.spreads):
# with 2 it never pools them, with 3 in a quarter of studies whose spreads are equal.
POOLED_FROM = 4
_NONE = 1e-9  # eigenvalues below this share of the largest are 0, up to rounding


class Spread(NamedTuple):
    """The random variation of one trial's score.

    Attributes:
        sigma: standard deviation, in the unit of the scores.
        df: degrees of freedom behind it; 0 if it could not be estimated.
        networks: number of networks behind it: those with two or more trials.
        seeds: number of seeds that these ran.
    """

    sigma: float
    df: int
    networks: int
    seeds: int


def spread_of(scores: npt.NDArray[np.float64]) -> Spread:
    """The spread of scores around network + seed.

    Args:
        scores: (networks, seeds), NaN where a network has no score for a seed.

    Returns:
        With sigma NaN and df 0 if no two networks share two seeds.
    """
    there = ~np.isnan(scores)
    scores = scores[there.sum(axis=1) >= 2]  # one trial shows no variation
    there = ~np.isnan(scores)
    counts = there.sum(axis=1, keepdims=True)
    networks, seeds = len(scores), int(there.any(axis=0).sum())
    if not networks:
        return Spread(np.nan, 0, 0, 0)
    away = np.where(there, scores, 0.0)
    away = np.where(there, away - away.sum(axis=1, keepdims=True) / counts, 0.0)
    shares = there / counts
    # The normal equations of the seeds, with networks eliminated: as many as there are seeds.
    normal = np.diag(there.sum(axis=0)) - there.T.astype(float) @ shares
    # A shift of all seeds has an eigenvalue of 0, up to rounding, which must not be divided by.
    of_seeds, _, rank, _ = np.linalg.lstsq(normal, away.sum(axis=0), rcond=_NONE)
    rest = np.where(there, away - of_seeds + (shares @ of_seeds)[:, None], 0.0)
    df = int(there.sum()) - networks - int(rank)
    if df <= 0:
        return Spread(np.nan, 0, networks, seeds)
    return Spread(float(np.sqrt((rest**2).sum() / df)), df, networks, seeds)
