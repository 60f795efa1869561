"""Computes the knee of a two-objective front, and attainment surfaces of several fronts.

Takes points as rows of two numbers, both to be minimised; gives indices and corners to
questions.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.statistics.intervals import FloatArray, StatisticsError


def front(points: ArrayLike) -> NDArray[np.intp]:
    """Indices of the non-dominated points, by rising first number; one of equal points.

    Args:
        points: array (n, 2).
    """
    table = _two_columns(points)
    order = np.lexsort((table[:, 1], table[:, 0]))
    falling = table[order, 1]
    lowest = np.minimum.accumulate(np.concatenate([[np.inf], falling[:-1]]))
    return np.asarray(order[falling < lowest], dtype=np.intp)


def knee(points: ArrayLike) -> int | None:
    """The index of the point of the front that is farthest from the line between its ends.

    Each objective is scaled so that the ends of the front are 0 and 1 (Das 1999, "On
    characterizing the knee of the Pareto curve", for two objectives).

    Args:
        points: array (n, 2).

    Returns:
        None where there is no knee: the front has fewer than three points, or none of them lies
        on the better side of the line. Among equally far points, the first in the first
        objective.
    """
    table = _two_columns(points)
    places = front(table)
    if len(places) < 3:
        return None
    edge = table[places]
    (left, top), (right, bottom) = edge[0], edge[-1]
    scaled = (edge - [left, bottom]) / [right - left, top - bottom]
    gains = 1 - scaled.sum(axis=1)  # sqrt(2) times the distance; positive on the better side
    at = int(gains.argmax())
    return int(places[at]) if gains[at] > 1e-12 else None


def attainment(fronts: Sequence[ArrayLike], *, share: float) -> FloatArray:
    """The corners of the surface that at least this share of the sets of points attain.

    A location is attained by a set with a point at least as good in both objectives (da
    Fonseca, Fonseca and Hall 2001, the empirical attainment function).

    Args:
        fronts: sets of points (n, 2), such as one for each seed.
        share: share of the sets, above 0 and at most 1.

    Returns:
        (m, 2), rising in the first number and falling in the second: everything at least as bad
        in both as one of these corners is attained.

    Raises:
        StatisticsError: there is no set, a set is empty, or the share is out of range.
    """
    tables = [_two_columns(one) for one in fronts]
    if not tables or not all(map(len, tables)) or not 0 < share <= 1:
        raise StatisticsError(
            f"fronts: {len(tables)} sets, share {share}; give sets of at least one point, and "
            "a share above 0 and at most 1"
        )
    needed = math.ceil(share * len(tables) - 1e-9)
    places = np.unique(np.concatenate([table[:, 0] for table in tables]))
    best = np.sort([_lowest_up_to(table, places) for table in tables], axis=0)[needed - 1]
    before = np.concatenate([[np.inf], best[:-1]])
    return np.asarray(np.stack([places, best], axis=1)[best < before], dtype=float)


def _lowest_up_to(table: FloatArray, places: FloatArray) -> FloatArray:
    """For each place, the lowest second number among points whose first is at most it."""
    order = np.argsort(table[:, 0], kind="stable")
    lowest = np.concatenate([[np.inf], np.minimum.accumulate(table[order, 1])])
    return np.asarray(lowest[np.searchsorted(table[order, 0], places, side="right")])


def _two_columns(points: ArrayLike) -> FloatArray:
    table = np.asarray(points, dtype=float)
    if table.ndim != 2 or table.shape[1] != 2 or not np.isfinite(table).all():
        raise StatisticsError(
            f"points: shape {table.shape} is not two columns of finite numbers; give both "
            "objectives of each network"
        )
    return table
