"""Samplers that go through the candidates in a fixed order: grid, axes, random."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from search.samplers.base import Outcome, Sampler, SpaceExhausted
from search.schema.metrics import Objective
from search.schema.samplers import SAMPLERS
from search.schema.search import PlannedSearch
from search.schema.seeds import seed_of
from search.space.survey import Survey


class Ordered:
    """Goes through the candidates in a fixed order, skipping those that were taken."""

    def __init__(self, order: npt.NDArray[np.intp]) -> None:
        self._order = order
        self._next = 0
        self.taken = np.zeros(len(order), dtype=bool)

    def propose(self, trial: int) -> int:  # noqa: ARG002 - depends only on what is left
        """The first candidate in the order that is not taken."""
        while self._next < len(self._order) and self.taken[self._order[self._next]]:
            self._next += 1
        if self._next == len(self._order):
            raise SpaceExhausted
        return int(self._order[self._next])

    def take(self, candidate: int) -> None:
        """Leave out a candidate from now on."""
        self.taken[candidate] = True

    def tell(self, candidate: int, outcome: Outcome) -> None:
        """Do nothing: results do not matter here."""


def grid(survey: Survey, *, seed: int, objectives: tuple[Objective, ...]) -> Sampler:  # noqa: ARG001
    """All candidates, cheapest first, so that a stopped study has tried the small ones."""
    return Ordered(np.argsort(survey.costs.macs, kind="stable"))


def axes(survey: Survey, *, seed: int, objectives: tuple[Objective, ...]) -> Sampler:  # noqa: ARG001
    """Like `grid`, but the base comes first: all others are compared with it."""
    return Ordered(_cheapest_first(survey))


def random(survey: Survey, *, seed: int, objectives: tuple[Objective, ...]) -> Sampler:  # noqa: ARG001
    """Uniform over the candidates inside the budget, without repetition."""
    return Ordered(np.random.default_rng(seed_of(seed, "order")).permutation(len(survey)))


class Elsewhere(NamedTuple):
    """What other runs have trained, which a study need not.

    Attributes:
        known: candidates that a warm start knows, and that are not tried.
        taken_over: the candidate of each trial of the search that is surely taken over.
    """

    known: Sequence[int] = ()
    taken_over: Sequence[int] = ()


NOTHING = Elsewhere()


class Tried:
    """The networks that a search tries, as far as that is known before it.

    Args:
        survey: the candidates.
        search: which of them are tried, and how many.
        known: candidates that other runs have tried, and this one does not.
    """

    def __init__(
        self, survey: Survey, search: PlannedSearch, known: Sequence[int] = ()
    ) -> None:
        order = _cheapest_first(survey)
        order = order[~np.isin(order, known)]
        groups, most = [order], search.trials
        if search.per_band:
            bands, most = survey.bands[order], search.per_band
            groups = [order[bands == band] for band in np.unique(bands)]
        self._numbers = [min(len(group), most) for group in groups]
        if "ordered" in SAMPLERS[search.sampler.name].traits:
            groups = [group[:most] for group in groups]
        self._groups = groups

    def mean(self, amounts: npt.NDArray[np.int64] | npt.NDArray[np.float64]) -> float:
        """Their mean of an amount given for each candidate; expected where they are drawn."""
        means = [amounts[group].mean() for group in self._groups]
        return float(np.average(means, weights=self._numbers))

    def largest(self, amounts: npt.NDArray[np.int64]) -> int:
        """The largest amount that one of them may have."""
        return max(int(amounts[group].max()) for group in self._groups)


def _cheapest_first(survey: Survey) -> npt.NDArray[np.intp]:
    """The candidates in order of their multiply-adds, after the base where there is one."""
    order = np.argsort(survey.costs.macs, kind="stable")
    is_base = order == (-1 if survey.base is None else survey.base)
    return np.concatenate([order[is_base], order[~is_base]])
