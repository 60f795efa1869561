"""Knees and attainment surfaces against brute force."""

import itertools

import numpy as np
import pytest

from analysis.statistics.fronts import attainment, front, knee
from analysis.statistics.intervals import StatisticsError


def beaten(points: np.ndarray, one: np.ndarray) -> bool:
    return any((other <= one).all() and (other < one).any() for other in points)


@pytest.mark.parametrize("seed", range(5))
def test_front_and_knee_are_those_of_brute_force(seed: int) -> None:
    points = np.random.default_rng(seed).integers(0, 30, (40, 2)).astype(float)
    edge = sorted({tuple(one) for one in points if not beaten(points, one)})
    assert [tuple(one) for one in points[front(points)]] == edge
    (left, top), (right, bottom) = edge[0], edge[-1]

    def away(x: float, y: float) -> float:
        """From the line between the ends of the scaled front, along its normal."""
        scaled = np.array([(x - left) / (right - left), (y - bottom) / (top - bottom)])
        return float(np.dot(scaled - [0.0, 1.0], [-1.0, -1.0]) / np.sqrt(2))

    farthest = max(edge, key=lambda one: away(*one))
    at = knee(points)
    assert (at is None) == (away(*farthest) <= 1e-12)
    assert at is None or tuple(points[at]) == farthest
    assert knee(points * [1e6, 1e-3] + 7) == at, "no unit matters"


@pytest.mark.parametrize(
    "points",
    [
        [[0, 1], [1, 0]],
        [[0, 1], [0.5, 0.5], [1, 0]],
        [[0, 1], [0.6, 0.9], [1, 0]],
        [[1, 1], [1, 1], [1, 1]],
        np.empty((0, 2)),
    ],
)
def test_a_front_that_bends_nowhere_has_no_knee(points: list[list[float]]) -> None:
    assert knee(points) is None


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75, 1.0])
def test_a_surface_holds_what_so_many_seeds_attain(share: float) -> None:
    rng = np.random.default_rng(3)
    fronts = [rng.integers(0, 12, (int(size), 2)).astype(float) for size in (1, 5, 8, 9, 20)]
    corners = attainment(fronts, share=share)
    assert (np.diff(corners[:, 0]) > 0).all()
    assert (np.diff(corners[:, 1]) < 0).all()
    for place in itertools.product(np.arange(-1, 13, 0.5), repeat=2):
        reached = np.mean([any((one <= place).all() for one in each) for each in fronts])
        assert (reached >= share) == any((corner <= place).all() for corner in corners)


def test_what_no_share_attains_is_empty_and_bad_points_are_refused() -> None:
    assert attainment([[[0.0, 1.0]]], share=1.0).tolist() == [[0.0, 1.0]]
    with pytest.raises(StatisticsError, match="give sets of at least one point"):
        attainment([], share=0.5)
    with pytest.raises(StatisticsError, match="give sets of at least one point"):
        attainment([[[0.0, 1.0]], np.empty((0, 2))], share=0.5)
    with pytest.raises(StatisticsError, match="not two columns"):
        knee([[1.0, np.nan]])
