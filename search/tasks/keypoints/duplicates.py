"""Removes duplicates: detected boxes may show one person twice; the surest of them is kept.

As in SimpleBaseline (Xiao et al., arXiv:1804.06208): two are duplicates above an object
keypoint
similarity of 0.9, which uses the areas of their windows.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np

from search.tasks.keypoints.scoring import Found

_ALIKE = 0.9
_SEEN = 0.2  # height of a peak above which a joint counts for the confidence


def sureness(heights: Any, score: float) -> float:
    """The confidence of a network in an object in a detected box.

    Args:
        heights: (K,) of the peaks of its joints.
        score: score of the box.

    Returns:
        The score times the mean of the heights above 0.2; 0 where none is.
    """
    seen = heights[heights > _SEEN]
    return score * float(seen.mean()) if len(seen) else 0.0


def without_duplicates(found: Sequence[Found], sigmas: Sequence[float]) -> list[Found]:
    """The objects of each scene without those that duplicate one with more confidence.

    Args:
        found: with areas; those of a scene are consecutive.
        sigmas: tolerance of each point.
    """
    kept: list[Found] = []
    for _, each in groupby(found, key=lambda one: one.scene):
        left = sorted(each, key=lambda one: -one.sure)
        while left:
            best, *others = left
            kept.append(best)
            alike = _similarities(best, others, sigmas) > _ALIKE
            left = [one for one, same in zip(others, alike, strict=True) if not same]
    return kept


def _similarities(one: Found, others: Sequence[Found], sigmas: Sequence[float]) -> Any:
    """The mean similarity of one object's joints to each other's, relative to their size."""
    if not others:
        return np.zeros(0)
    points = np.array([other.points for other in others])
    away = np.square(points - one.points).sum(2)
    areas = one.area + np.array([other.area for other in others])  # twice their mean
    spread = np.square(2 * np.asarray(sigmas)) * areas[:, None]
    return np.exp(-away / spread).mean(1)
