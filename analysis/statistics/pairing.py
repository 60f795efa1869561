"""Compares two groups of trials: by pairs where they share their seeds, else by Welch."""

import pandas as pd

from analysis.statistics.intervals import Comparison, paired, unpaired


def against(
    a: pd.DataFrame, b: pd.DataFrame, *, column: str, level: float = 0.95
) -> tuple[Comparison, str]:
    """Compare two groups of trials: by pairs where their seeds are the same, else by Welch.

    Args:
        a: trials of one network in one run.
        b: of another, or of the same network in another run.
        column: of the metric that ranks; a less b is what is compared.
        level: of the interval.

    Returns:
        The comparison, and "paired" or "Welch", by which it was made.
    """
    first, second = (
        rows.set_index("seed")[column].dropna().astype(float).sort_index() for rows in (a, b)
    )
    if first.index.is_unique and first.index.equals(second.index):
        return paired(first, second, level=level), "paired"
    return unpaired(first, second, level=level), "Welch"
