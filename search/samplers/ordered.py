"""Samplers that go through the candidates in a fixed order: grid, axes, random."""

from collections.abc import Sequence

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


def mean_of_tried(
    amounts: npt.NDArray[np.int64] | npt.NDArray[np.float64],
    survey: Survey,
    search: PlannedSearch,
    known: Sequence[int] = (),
) -> float:
    """The mean amount of the networks that a search tries, expected where it draws them.

    Args:
        amounts: the amount of each candidate, such as its multiply-adds.
        survey: the candidates.
        search: which of them are tried, and how many.
        known: candidates that other runs have tried, and this one does not.
    """
    order = _cheapest_first(survey)
    order = order[~np.isin(order, known)]
    groups, most = [order], search.trials
    if search.per_band:
        bands = survey.bands[order]
        groups, most = [order[bands == band] for band in np.unique(bands)], search.per_band
    numbers = [min(len(group), most) for group in groups]
    if "ordered" in SAMPLERS[search.sampler.name].traits:
        groups = [group[:most] for group in groups]
    means = [amounts[group].mean() for group in groups]
    return float(np.average(means, weights=numbers))


def _cheapest_first(survey: Survey) -> npt.NDArray[np.intp]:
    """The candidates in order of their multiply-adds, after the base where there is one."""
    order = np.argsort(survey.costs.macs, kind="stable")
    is_base = order == (-1 if survey.base is None else survey.base)
    return np.concatenate([order[is_base], order[~is_base]])
