"""The candidates as points of a box, so that a draw from the box is moved to one that is left.

A box of dimensions knows nothing of the budget, and redrawing until a point lies inside takes
hundreds of draws in a narrow band. So one draw is made and replaced by the nearest candidate
that was not tried.
"""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from search.samplers.base import SpaceExhausted
from search.space.axis import Dimension, Indices
from search.space.survey import Survey

Floats = npt.NDArray[np.float64]

_NEAR = 1024  # candidates around a point that are compared


class Points:
    """The candidates of a survey, each dimension scaled to the unit interval by rank.

    Args:
        survey: the candidates inside the budget.

    Attributes:
        dimensions: those with more than one value.
        indices: (candidates, dimensions): the index of each value in its dimension.
        unit: the indices scaled to 0 to 1.
        taken: whether each candidate is being tried or was.
        left: number of those that are not.
    """

    def __init__(self, survey: Survey) -> None:
        varied = [i for i, d in enumerate(survey.dimensions) if len(d.values) > 1]
        self.dimensions: tuple[Dimension, ...] = tuple(survey.dimensions[i] for i in varied)
        self.indices: Indices = survey.indices()[:, varied]
        lengths = np.array([len(dimension.values) - 1 for dimension in self.dimensions])
        self.unit: Floats = self.indices / np.maximum(1, lengths)
        self.taken = np.zeros(len(survey), dtype=bool)
        self.left = len(survey)
        self._held: Indices = np.arange(len(survey))  # the candidates to search for neighbours

    @cached_property
    def _tree(self) -> KDTree | None:
        """The search tree of neighbours; None where nothing varies. Made on first use."""
        return KDTree(self.unit[self._held]) if self.dimensions else None

    def take(self, candidate: int) -> None:
        """Leave out a candidate from now on."""
        self.left -= not self.taken[candidate]
        self.taken[candidate] = True
        if self.left == len(self._held) // 2:
            # Otherwise most neighbours would be taken. Done at fixed counts, so that a resumed
            # search finds the same ones.
            self._held = np.flatnonzero(~self.taken)
            self.__dict__.pop("_tree", None)

    def require_left(self) -> None:
        """Make sure that a candidate is left.

        Raises:
            SpaceExhausted: every candidate is taken.
        """
        if self.left == 0:
            raise SpaceExhausted

    def nearest_left(self, point: Floats) -> int:
        """The nearest candidate that is left; always the same of equally near ones.

        Args:
            point: (dimensions,), each between 0 and 1.

        Raises:
            SpaceExhausted: every candidate is taken.
        """
        self.require_left()
        return int(next(self._left_by_distance(point))[0])

    def near_left(self, point: Floats) -> Indices:
        """Hundreds of candidates that are left, the nearest first.

        Args:
            point: (dimensions,), each between 0 and 1.

        Raises:
            SpaceExhausted: every candidate is taken.
        """
        self.require_left()
        found: Indices = np.empty(0, dtype=np.intp)
        for found in self._left_by_distance(point, first=_NEAR):
            if len(found) >= min(_NEAR, self.left) // 2:
                break
        return found

    def _left_by_distance(self, point: Floats, first: int = 1) -> Iterator[Indices]:
        """The candidates left among the nearest to a point, of twice as many each time."""
        if self._tree is None:
            yield np.flatnonzero(~self.taken)
            return
        every = len(self._held)
        neighbours = min(first, every)
        while True:
            _, found = self._tree.query(point, k=neighbours)
            near = self._held[np.atleast_1d(found)]
            left: Indices = near[~self.taken[near]]
            if len(left):
                yield left
            if neighbours == every:
                return
            neighbours = min(2 * neighbours, every)
