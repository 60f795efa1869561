"""Computes t-intervals of thousands of groups at once, each equal to `intervals.t_interval`."""

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from analysis.statistics.intervals import checked_level

_ROUNDING = 1e-12  # a spread below this share of the values is rounding, not noise


def t_ends(
    values: pd.Series, by: pd.Series, *, level: float = 0.95, percent: bool = False
) -> pd.DataFrame:
    """The ends of Student's interval for the mean of each group.

    Args:
        values: numbers; missing ones are ignored.
        by: group of each value.
        level: confidence level.
        percent: whether to clip to 0 and 100, the limits of a percentage.

    Returns:
        `low` and `high` by group; NaN for a single value or for values that are all equal.
    """
    groups = values.astype(float).groupby(by)
    count, mean, spread = groups.count(), groups.mean(), groups.std()
    scale = values.abs().astype(float).groupby(by).max()
    known = (count > 1) & (spread > _ROUNDING * scale)
    quantile = stdtrit((count - 1).clip(lower=1), (1 + checked_level(level)) / 2)
    reach = np.where(known, quantile * spread / np.sqrt(count), np.nan)
    ends = pd.DataFrame({"low": mean - reach, "high": mean + reach})
    return ends.clip(0.0, 100.0) if percent else ends
