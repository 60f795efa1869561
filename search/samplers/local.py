"""Local search (White et al., 2021, arXiv:2005.02960): hard to beat in small spaces."""

from collections.abc import Sequence

import numpy as np

from search.samplers.base import Outcome, standing
from search.samplers.ordered import random
from search.samplers.points import Points
from search.schema.metrics import Objective
from search.space.survey import Survey


class Local:
    """Tries the neighbours of the best network; where none is better, begins anew at random.

    Neighbours are the nearest candidates inside the budget, as many as there are steps up and
    down: two for each dimension. Each is tried, or was, before a network is left.

    Args:
        survey: the candidates inside the budget.
        seed: of the study.
        objectives: the first one is compared.
    """

    def __init__(self, survey: Survey, *, seed: int, objectives: Sequence[Objective]) -> None:
        self._points, self._objective = Points(survey), objectives[0]
        self._first = random(survey, seed=seed, objectives=tuple(objectives))
        self._neighbours = 2 * len(self._points.dimensions)
        self._centre: int | None = None  # of the climb under way
        self._height: tuple[float, ...] = ()
        self._around: list[int] = []  # neighbours of it that are not tried yet
        self._climbers = set[int]()  # proposed on this climb

    def propose(self, trial: int) -> int:
        """A neighbour of the best of this climb, or the start of another.

        Args:
            trial: number of networks tried before.

        Raises:
            SpaceExhausted: every candidate is taken.
        """
        self._points.require_left()
        left = [one for one in self._around if not self._points.taken[one]]
        return left[0] if left else self._first.propose(trial)

    def take(self, candidate: int) -> None:
        """Leave a candidate out; one that is no neighbour begins another climb."""
        if candidate not in self._around:
            self._centre, self._around, self._climbers = None, [], set()
        self._climbers.add(candidate)
        self._points.take(candidate)
        self._first.take(candidate)

    def tell(self, candidate: int, outcome: Outcome) -> None:
        """Move to a network of this climb that is better than all before."""
        if candidate not in self._climbers or outcome.state == "failed" or not outcome.values:
            return
        height = standing(outcome, self._objective)
        if self._centre is None or height < self._height:
            self._centre, self._height = candidate, height
            self._around = self._neighbours_of(candidate)

    def _neighbours_of(self, candidate: int) -> list[int]:
        """The nearest candidates, tried or not, but for itself."""
        point = self._points.unit[candidate]
        away = np.abs(self._points.unit - point).sum(axis=1)
        nearest = np.argsort(away, kind="stable")[: self._neighbours + 1]
        return [int(one) for one in nearest if one != candidate]
