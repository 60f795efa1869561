"""Combines several losses into one, differently at each choice (ParEGO: Knowles, 2006).

Over many choices all parts of the Pareto front get their turn. Nothing is random: the weights
are the points of a low-discrepancy sequence.
"""

import numpy as np
import numpy.typing as npt

_SUM = 0.05  # weight of the sum added to the maximum: without it, ties in one objective hide


def scalarized(rows: npt.NDArray[np.float64], choice: int) -> npt.NDArray[np.float64]:
    """One loss per row: the largest weighted objective, each scaled to its range.

    Args:
        rows: (rows, objectives), losses.
        choice: its number, counted from 0; the weights depend on it.
    """
    if rows.shape[1] == 1:
        return rows[:, 0].copy()
    low, high = rows.min(axis=0), rows.max(axis=0)
    shares: npt.NDArray[np.float64] = (rows - low) / np.where(high > low, high - low, 1.0)
    weighted = shares * weights_of(choice, rows.shape[1])
    return np.asarray(weighted.max(axis=1) + _SUM * weighted.sum(axis=1))


def weights_of(choice: int, objectives: int) -> npt.NDArray[np.float64]:
    """Positive weights that sum to 1, evenly spread over all such as `choice` counts up.

    The sequence is that of Roberts' R: powers of the root of x**(d + 1) = x + 1.
    """
    root = 2.0
    for _ in range(40):
        root = (1 + root) ** (1 / (objectives + 1))
    steps = root ** -np.arange(1.0, objectives + 1)
    point = (0.5 + (choice + 1) * steps) % 1
    each = -np.log(np.clip(point, 1e-9, None))  # exponential: uniform once they sum to 1
    weights: npt.NDArray[np.float64] = each / each.sum()
    return weights
