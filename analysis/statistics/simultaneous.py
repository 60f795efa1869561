"""Computes simultaneous intervals and p for several comparisons.

Takes `analysis.statistics.mixed.Estimates`, and gives wider intervals to `analysis.questions`.
An interval excludes 0 exactly where its p is below 1 minus the level, so that the two never
disagree.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.statistics.intervals import FloatArray, checked_level
from analysis.statistics.mixed import Estimates

_DRAWS = 50_000  # accuracy of p: 0.001 at 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Comparisons, corrected for all of them simultaneously.

    Attributes:
        reach: half the width of each interval.
        p: p value of each, corrected for all of them.
    """

    reach: FloatArray
    p: FloatArray


def together(estimates: Estimates, *, level: float = 0.95) -> Together:
    """Intervals that all contain the truth in a share `level` of studies, with matching p.

    The largest of all |t| is compared with its distribution under chance, taking their
    correlation into account (Hothorn, Bretz and Westfall 2008, "Simultaneous inference in
    general parametric models"): less strict than Bonferroni where comparisons share networks.
    Where the degrees of freedom differ, the smallest p is compared instead (Westfall and Young
    1993). Chance is drawn from a generator with a fixed seed, so that the same trials always
    give the same numbers.

    Args:
        estimates: estimates of one family; those without an error are ignored.
        level: confidence level.

    Returns:
        Reach and p of each estimate; NaN for those without an error.
    """
    checked_level(level)
    known = np.isfinite(estimates.error) & (estimates.error > 0)
    reach = np.full(len(known), np.nan)
    p = np.full(len(known), np.nan)
    if not known.any():
        return Together(reach=reach, p=p)
    df = estimates.df[known]
    alike = bool(np.ptp(df) == 0)
    largest = _largest(
        estimates.correlation[np.ix_(known, known)], df=float(df[0]) if alike else None
    )
    # Estimates with different degrees of freedom are compared by how rare each is.
    t = np.abs(estimates.t[known])
    rarity = t if alike else stats.norm.isf(stats.t.sf(t, df))
    above = len(largest) - np.searchsorted(largest, rarity, side="left")
    # So few draws lie beyond this that p is strictly below 1 - level.
    few = int(np.ceil((1 - level) * (1 + len(largest)))) - 2
    end = largest[len(largest) - few - 1]
    beyond = (end if alike else stats.t.isf(stats.norm.sf(end), df)) * estimates.error[known]
    # Draws are inexact: enforce that simultaneous values are never below the single ones.
    p[known] = np.maximum((1 + above) / (1 + len(largest)), estimates.p()[known])
    reach[known] = np.maximum(beyond, estimates.reach(level)[known])
    if known.sum() == 1:
        p[known], reach[known] = estimates.p()[known], estimates.reach(level)[known]
    return Together(reach=reach, p=p)


def _largest(correlation: FloatArray, *, df: float | None) -> FloatArray:
    """The largest |t| of each draw, in rising order; normal numbers where `df` is None."""
    rng = np.random.default_rng(0)
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    kept = root[:, values > 1e-10 * values.max()]
    normal = rng.standard_normal((_DRAWS, kept.shape[1])) @ kept.T
    largest = np.abs(normal).max(axis=1)
    if df is not None:
        largest = largest / np.sqrt(rng.chisquare(df, size=_DRAWS) / df)
    return np.sort(largest)
