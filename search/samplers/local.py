"""Local search (White et al., 2021, arXiv:2005.02960): hard to beat in small spaces."""

from collections.abc import Sequence

import numpy as np

from search.samplers.base import Outcome, standing
from search.samplers.ordered import random
from search.samplers.points import Points
from search.schema.metrics import Objective
from search.space.survey import Survey


class Local:
    """Tries the neighbours of a climb's best network; if none is better, starts a new climb.

    Neighbours differ in one dimension, or in as few as the budget allows. All are tried before
    a network is abandoned, the nearest first. While there is no neighbour to try (nothing has
    ended yet, or all of them run), networks are drawn at random, and take part in the climb.

    Args:
        survey: the candidates inside the budget.
        seed: seed of the study.
        objectives: the first one is compared.
        start: networks drawn at random for each climb, which starts at the best of them.
    """

    def __init__(
        self, survey: Survey, *, seed: int, objectives: Sequence[Objective], start: int = 10
    ) -> None:
        self._points, self._objective = Points(survey), objectives[0]
        self._first = random(survey, seed=seed, objectives=tuple(objectives))
        self._start = start
        self._height: tuple[float, ...] | None = None  # of the best network of this climb
        self._around: list[int] = []  # neighbours of that network
        self._climbers = set[int]()  # networks of this climb
        self._running = set[int]()  # networks of this climb that are running

    def propose(self, trial: int) -> int:
        """A neighbour of this climb's best network, or a random candidate.

        Args:
            trial: number of networks tried before.

        Raises:
            SpaceExhausted: every candidate is taken.
        """
        self._points.require_left()
        if len(self._climbers) >= self._start:
            for one in self._around:
                if not self._points.taken[one]:
                    return one
        return self._first.propose(trial)

    def take(self, candidate: int) -> None:
        """Leave out a candidate; start another climb if this one has reached its top."""
        if candidate not in self._around and self._at_top():
            self._height, self._around, self._climbers = None, [], set()
        self._climbers.add(candidate)
        self._running.add(candidate)
        self._points.take(candidate)
        self._first.take(candidate)

    def tell(self, candidate: int, outcome: Outcome) -> None:
        """Move to a network of this climb that is better than all before."""
        self._running.discard(candidate)
        if candidate not in self._climbers or outcome.state == "failed" or not outcome.values:
            return
        height = standing(outcome, self._objective)
        if self._height is None or height < self._height:
            self._height, self._around = height, self._neighbours(candidate)

    def _at_top(self) -> bool:
        """Whether all neighbours were tried, and none of them is running."""
        whole = len(self._climbers) >= self._start and not self._running
        return whole and all(self._points.taken[one] for one in self._around)

    def _neighbours(self, candidate: int) -> list[int]:
        """Candidates that differ in the fewest dimensions, tried or not, the nearest first."""
        indices, unit = self._points.indices, self._points.unit
        changed = (indices != indices[candidate]).sum(axis=1)
        changed[candidate] = changed.max() + 1
        fewest = np.flatnonzero(changed == changed.min())
        away = np.abs(unit[fewest] - unit[candidate]).sum(axis=1)
        return [int(one) for one in fewest[np.argsort(away, kind="stable")]]
