"""Samplers that spread over the space without using results: qmc, stratified."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import qmc as quasi

from search.samplers.ordered import Ordered
from search.samplers.points import Floats
from search.schema.metrics import Objective
from search.schema.seeds import seed_of
from search.space.axis import Indices
from search.space.survey import Survey

_MOST_POINTS = 14  # as a power of two; each point takes a moment to place


def qmc(survey: Survey, *, seed: int, objectives: Sequence[Objective]) -> Ordered:  # noqa: ARG001
    """A scrambled Sobol sequence, even over the candidates and in each dimension.

    Moving points of a box into the budget would distort how often each value occurs. So each
    coordinate is taken as a share of the candidates instead: the first picks a value of the
    first dimension by how many candidates have it, the next one of the second dimension among
    these, and so on (Rosenblatt's transformation of the uniform distribution over the
    candidates). After 16,384 points the remaining candidates come in random order.
    """
    varied = [i for i, d in enumerate(survey.dimensions) if len(d.values) > 1]
    if not varied:
        return Ordered(np.arange(len(survey)))
    indices = survey.indices()[:, varied]
    engine = quasi.Sobol(len(varied), seed=np.random.default_rng(seed_of(seed, "sobol")))
    drawn = engine.random_base2(min(_MOST_POINTS, max(1, math.ceil(math.log2(len(survey))))))
    order = _picked(indices, drawn)
    first = order[np.sort(np.unique(order, return_index=True)[1])]
    rest = np.setdiff1d(np.arange(len(survey)), first)
    shuffled = np.random.default_rng(seed_of(seed, "order")).permutation(rest)
    return Ordered(np.concatenate([first, shuffled]))


def _picked(indices: Indices, drawn: Floats) -> Indices:
    """(points,): the candidate that each point of the unit box picks.

    Args:
        indices: (candidates, dimensions), of the values.
        drawn: (points, dimensions), each from 0 to 1.
    """
    order = np.lexsort(indices.T[::-1])
    rows = indices[order]
    low, high = np.zeros(len(drawn), np.intp), np.full(len(drawn), len(order))
    for column, share in zip(rows.T, drawn.T, strict=True):
        at = low + np.minimum((share * (high - low)).astype(np.intp), high - low - 1)
        # Rows are sorted: within a range, those with one value are adjacent.
        picked = [
            (start + np.searchsorted(column[start:stop], column[place], "left"),
             start + np.searchsorted(column[start:stop], column[place], "right"))
            for start, stop, place in zip(low, high, at, strict=True)
        ]  # fmt: skip
        low, high = np.array(picked, dtype=np.intp).T
    chosen: Indices = order[low]
    return chosen


def stratified(
    survey: Survey,
    *,
    seed: int,
    objectives: Sequence[Objective],  # noqa: ARG001
    bins: int = 8,
) -> Ordered:
    """Uniform over bins of multiply-adds, equally wide in the logarithm.

    Each round draws once from every bin that has candidates left, in another order.
    """
    logs = np.log(survey.costs.macs)
    edges = np.linspace(logs.min(), logs.max(), bins + 1)
    of = np.clip(np.searchsorted(edges, logs, "right") - 1, 0, bins - 1)
    rng = np.random.default_rng(seed_of(seed, "strata"))
    shuffled = rng.permutation(len(survey))
    turn = np.empty(len(survey), np.intp)
    for each in range(bins):
        members = shuffled[of[shuffled] == each]
        turn[members] = np.arange(len(members))
    # A random order within each round: the last one may be cut off, by a number of trials that
    # is no multiple of the bins.
    return Ordered(np.lexsort((rng.random(len(survey)), turn)))
