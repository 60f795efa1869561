"""Computes the area dominated by a two-objective front as it grows with every network."""

from bisect import bisect_left, bisect_right

import numpy as np
from numpy.typing import ArrayLike

from analysis.statistics.intervals import FloatArray, StatisticsError


def growing(points: ArrayLike) -> FloatArray:
    """The hypervolume of the first point, the first two, and so on (Zitzler and Thiele 1998).

    Args:
        points: array (n, 2), both to be minimised; the reference point is (1, 1), and a point
            that is not below it in both adds nothing.

    Returns:
        n exact areas, never decreasing.

    Raises:
        StatisticsError: there are not two columns, or a number is not finite.
    """
    table = np.asarray(points, dtype=float)
    if table.ndim != 2 or table.shape[1] != 2 or not np.isfinite(table).all():
        raise StatisticsError(
            f"points: shape {table.shape} is not two columns of finite numbers; give both "
            "objectives of each network"
        )
    front_x: list[float] = []  # rising, while their y fall
    front_y: list[float] = []
    areas, area = np.empty(len(table)), 0.0
    for place, (x, y) in enumerate(table.tolist()):
        at = bisect_right(front_x, x)  # points before it are at least as good in x
        floor = front_y[at - 1] if at else 1.0
        if x < 1 and y < floor:
            at = bisect_left(front_x, x)
            level, left = front_y[at - 1] if at else 1.0, x
            end = at
            while end < len(front_x) and front_y[end] >= y:  # dominated by the new point
                area += (front_x[end] - left) * (level - y)
                left, level = front_x[end], front_y[end]
                end += 1
            area += ((front_x[end] if end < len(front_x) else 1.0) - left) * (level - y)
            front_x[at:end], front_y[at:end] = [x], [y]
        areas[place] = area
    return areas
