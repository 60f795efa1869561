"""Computes t-intervals of thousands of groups at once, as `intervals.t_interval` of each."""

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from analysis.statistics.intervals import checked_level

_ROUNDING = 1e-12  # a spread below this share of the numbers is their rounding, not noise


def t_ends(
    values: pd.Series, by: pd.Series, *, level: float = 0.95, percent: bool = False
) -> pd.DataFrame:
    """The ends of Student's interval of the mean of each group.

    Args:
        values: numbers; missing ones are left aside.
        by: the group of each.
        level: of confidence.
        percent: cut at 0 and 100, beyond which no percentage lies.

    Returns:
        `low` and `high` by group; NaN of one value, or of values that are all equal.
    """
    groups = values.astype(float).groupby(by)
    count, mean, spread = groups.count(), groups.mean(), groups.std()
    scale = values.abs().astype(float).groupby(by).max()
    known = (count > 1) & (spread > _ROUNDING * scale)
    quantile = stdtrit((count - 1).clip(lower=1), (1 + checked_level(level)) / 2)
    reach = np.where(known, quantile * spread / np.sqrt(count), np.nan)
    ends = pd.DataFrame({"low": mean - reach, "high": mean + reach})
    return ends.clip(0.0, 100.0) if percent else ends
