"""Simulates populations of known truth: coverage of the chance that one is better."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from scipy import stats

from analysis.statistics.improvement import chance_of_pairs, chance_on_shared, profile

_EFFECTS = stats.norm.ppf((np.arange(2000) + 0.5) / 2000)  # of networks: normal quantiles


def of_pairs(rng: Generator, n: int, m: int, *, apart: float) -> bool:
    """Normal errors, where the first are lower by `apart`."""
    found = chance_of_pairs(rng.normal(size=n) - apart, rng.normal(size=m), rng=rng)
    truth = stats.norm.cdf(apart / np.sqrt(2))
    return found.low is None or found.high is None or found.low <= truth <= found.high


def on_shared(rng: Generator, networks: int, seeds: int, *, apart: float) -> bool:
    """Each network gains `apart` plus a random amount of its own."""
    gain = apart + rng.normal(size=(networks, 1))
    first, second = rng.normal(size=(2, networks, seeds))
    found = chance_on_shared(list(first - gain), list(second), rng=rng)
    truth = float(stats.norm.cdf((apart + _EFFECTS) / np.sqrt(2)).mean())
    return found.low is None or found.high is None or found.low <= truth <= found.high


def holds_a_profile(rng: Generator) -> bool:
    """20 networks with two seeds each, whose errors share the network's effect."""
    errors = rng.normal(size=(20, 1)) + rng.normal(size=(20, 2))
    found = profile(list(errors), np.linspace(-5, 5, 201), rng=rng)
    truth = stats.norm.cdf(found["tau"] / np.sqrt(2))
    return bool(((found["low"] <= truth) & (truth <= found["high"])).all())


SIMULATIONS: dict[str, Callable[[Generator], bool]] = {
    "improvement, 8 and 8 at random": lambda rng: of_pairs(rng, 8, 8, apart=0.5),
    "improvement, 20 and 30 at random": lambda rng: of_pairs(rng, 20, 30, apart=0.5),
    "improvement, 12 shared": lambda rng: on_shared(rng, 12, 3, apart=0.5),
    "improvement, 30 shared of one seed": lambda rng: on_shared(rng, 30, 1, apart=0.5),
    "profile": holds_a_profile,
}
