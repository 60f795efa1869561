"""Estimates weighted sums of networks' means from one sum for each seed.

For sums whose weights do not add up to 0, in which what a seed adds to all networks does not
cancel. The noise is then the spread of the sums over seeds, with few degrees of freedom, where
`analysis.statistics.mixed` would take it from the residuals of all networks.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.statistics.mixed import Estimates


def estimate_by_seed(
    networks: Sequence[str],
    seeds: Sequence[Any],
    scores: Sequence[float],
    weights: Sequence[Mapping[str, float]],
) -> Estimates:
    """Estimate weighted sums of networks' means.

    Args:
        networks: network of each trial.
        seeds: seed of each trial; equal values are the same seed.
        scores: score of each trial.
        weights: weights of each sum, by network; they need not add up to 0.

    Returns:
        One number per sum, the mean over the seeds that all its networks have; its error is the
        standard error of that mean, NaN where there are fewer than two such seeds or the sums
        do not vary. Correlations are not estimated: they are NaN but for the diagonal.
    """
    frame = pd.DataFrame({"network": [*networks], "seed": [*seeds], "score": [*scores]})
    table = frame.pivot_table(index="seed", columns="network", values="score")
    found = [_of_one(table, {k: w for k, w in one.items() if w}) for one in weights]
    value, error, df = np.array(found, dtype=float).reshape(-1, 3).T
    correlation = np.full((len(found), len(found)), np.nan)
    np.fill_diagonal(correlation, 1.0)
    return Estimates(value=value, error=error, df=df, correlation=correlation)


def _of_one(table: pd.DataFrame, weights: Mapping[str, float]) -> tuple[float, float, float]:
    """Mean, standard error and degrees of freedom of one sum."""
    if any(name not in table for name in weights):
        return float("nan"), float("nan"), float("nan")
    sums = table[list(weights)].dropna().to_numpy() @ np.array(list(weights.values()))
    if len(sums) < 2:
        return float(sums.mean()) if len(sums) else float("nan"), float("nan"), float("nan")
    error = float(sums.std(ddof=1)) / np.sqrt(len(sums))
    return float(sums.mean()), error or float("nan"), len(sums) - 1.0
