"""Regularized evolution (Real et al., 2019, arXiv:1802.01548) inside the budget."""

from collections import deque
from collections.abc import Sequence

import numpy as np

from search.samplers.base import Outcome, standing
from search.samplers.ordered import random
from search.samplers.points import Points
from search.schema.metrics import Objective
from search.schema.seeds import seed_of
from search.space.survey import Survey


class Evolution:
    """Mutates the best of a random sample of a population, whose oldest member then leaves.

    A change of one dimension seldom keeps the cost, so in a narrow band few candidates differ
    from a parent in only one: the child is drawn from those that differ in the fewest.

    Args:
        survey: the candidates inside the budget.
        seed: seed of the study.
        objectives: the first one selects.
        population: networks that are alive; as many are drawn at random first.
        sample: networks drawn from the population, the best of which is the parent.
    """

    def __init__(
        self,
        survey: Survey,
        *,
        seed: int,
        objectives: Sequence[Objective],
        population: int = 20,
        sample: int = 5,
    ) -> None:
        self._points, self._seed, self._objective = Points(survey), seed, objectives[0]
        self._population, self._sample = population, min(sample, population)
        self._first = random(survey, seed=seed, objectives=tuple(objectives))
        self._members: deque[tuple[tuple[float, ...], int]] = deque(maxlen=population)

    def propose(self, trial: int) -> int:
        """A child of a good member; a random candidate until the population is complete.

        Args:
            trial: number of networks tried before.

        Raises:
            SpaceExhausted: every candidate is taken.
        """
        self._points.require_left()
        if len(self._members) < self._population:
            return self._first.propose(trial)
        rng = np.random.default_rng(seed_of(self._seed, "evolution", trial))
        drawn = rng.choice(len(self._members), self._sample, replace=False)
        _, parent = min(self._members[i] for i in drawn)
        near = self._points.near_left(self._points.unit[parent])
        # In a large space the nearest may all have the parent's value where there are only two.
        if len(near) < self._points.left:
            near = np.flatnonzero(~self._points.taken)
        indices = self._points.indices
        changed = (indices[near] != indices[parent]).sum(axis=1)
        return int(rng.choice(near[changed == changed.min()]))

    def take(self, candidate: int) -> None:
        """Leave out a candidate from now on."""
        self._points.take(candidate)
        self._first.take(candidate)

    def tell(self, candidate: int, outcome: Outcome) -> None:
        """Add a network that was trained, completely or in part, to the population."""
        if outcome.state != "failed" and outcome.values:
            for member in [one for one in self._members if one[1] == candidate]:
                self._members.remove(member)  # told before one of its trials was tried again
            self._members.append((standing(outcome, self._objective), candidate))
