"""Simulates studies with a look after every seed: does any look miss the truth?

Each simulation returns whether all of its looks were right: at most 5 in 100 may not be.
"""

from collections.abc import Callable

import numpy as np

from analysis.questions.verdict import bounds
from search.design.anytime import reach
from search.design.spread import spread_of


def holds(
    rng: np.random.Generator, *, networks: int, first: int, last: int, effect: float
) -> bool:
    """Whether the interval of every look contains the true difference of two networks."""
    scores = rng.normal(size=(networks, last)) + 3 * rng.normal(size=last)
    scores[0] += effect
    looks = (bounds(scores[:, :seeds], level=0.95) for seeds in range(first, last + 1))
    return all(one.low <= effect <= one.high for one in looks)


def holds_while_networks_are_under_way(rng: np.random.Generator) -> bool:
    """The same with a look after every trial (from the second network on), not every seed."""
    scores = rng.normal(size=(6, 10)) + 3 * rng.normal(size=10)
    for seeds in range(2, 11):
        for ended in range(2, 7):
            seen = scores[:, :seeds].copy()
            seen[ended:, -1] = np.nan
            found = bounds(seen, level=0.95)
            if not found.low <= 0 <= found.high:
                return False
    return True


def holds_of_a_contrast(rng: np.random.Generator) -> bool:
    """Whether no look claims that a weighted sum of 16 networks, which is 0, differs from 0."""
    weights = np.r_[np.full(5, 0.2), np.full(5, -0.2), np.zeros(6)]
    scores = rng.normal(size=(16, 12))
    for seeds in range(2, 13):
        seen = scores[:, :seeds]
        spread = spread_of(seen)
        error = spread.sigma * np.sqrt((weights**2).sum() / seeds)
        away = reach(df=spread.df, seeds=seeds) * error
        if abs(weights @ seen.mean(axis=1)) > away:
            return False
    return True


SIMULATIONS: dict[str, Callable[[np.random.Generator], bool]] = {
    "two networks, no effect, looks at 2 to 12 seeds": lambda rng: holds(
        rng, networks=2, first=2, last=12, effect=0.0
    ),
    "two networks, an effect, looks at 3 to 40 seeds": lambda rng: holds(
        rng, networks=2, first=3, last=40, effect=1.5
    ),
    "16 networks, no effect, looks at 2 to 12 seeds": lambda rng: holds(
        rng, networks=16, first=2, last=12, effect=0.0
    ),
    "16 networks, an effect, looks at 3 to 40 seeds": lambda rng: holds(
        rng, networks=16, first=3, last=40, effect=0.7
    ),
    "6 networks, a look after every trial": holds_while_networks_are_under_way,
    "a contrast of 16 networks, looks at 2 to 12 seeds": holds_of_a_contrast,
}
