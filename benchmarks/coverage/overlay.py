"""Simulates spaces with varying density of sizes: coverage of bands, false claims of tests."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from scipy import stats

from analysis.statistics.complexity import bootstrap_band, neighbours
from analysis.statistics.matched import matched_ks

_GRID = 200  # points of the range over which the truth is averaged


def holds(rng: Generator, sizes: np.ndarray, *, falls_by: float) -> bool:
    """Whether a band contains the whole law at uniform complexity over the range of sizes.

    Args:
        rng: draws the errors, with standard deviation 1.
        sizes: logarithms of MACs.
        falls_by: fall of the error in standard deviations from the cheapest to the most
            expensive possible network.
    """
    errors = rng.standard_normal(sizes.size) - falls_by * sizes
    weights, places = neighbours(np.exp(sizes))
    band = bootstrap_band(errors, rng=rng, bins=places, weights=weights, resamples=300)
    grid = np.linspace(sizes.min(), sizes.max(), _GRID)
    truth = stats.norm.cdf(band["error"].to_numpy()[:, None] + falls_by * grid).mean(axis=1)
    low, high = band["low"].to_numpy(), band["high"].to_numpy()
    inside = (low <= truth).all() and (truth <= high).all()
    return bool(inside and (truth[1:] <= high[:-1]).all() and (low[:-1] <= truth[1:]).all())


def claims_nothing(rng: Generator, n: int, *, falls_by: float) -> bool:
    """Whether no difference is claimed between mostly costly and mostly cheap networks."""
    sizes = [np.sqrt(rng.random(n)), 1 - np.sqrt(rng.random(n))]
    errors = [rng.standard_normal(n) - falls_by * one for one in sizes]
    found, _ = matched_ks(errors, [np.exp(one) for one in sizes], rng=rng, resamples=300)
    return found.p >= 0.05


SIMULATIONS: dict[str, Callable[[Generator], bool]] = {
    "band, sizes uniform": lambda rng: holds(rng, rng.random(100), falls_by=3),
    "band, few are dear, size is much": lambda rng: holds(
        rng, rng.beta(2, 5, 200), falls_by=10
    ),
    "band, few are dear, size is nothing": lambda rng: holds(
        rng, rng.beta(2, 5, 100), falls_by=0
    ),
    "pairs, size is much": lambda rng: claims_nothing(rng, 60, falls_by=10),
    "pairs, size is little": lambda rng: claims_nothing(rng, 150, falls_by=2),
}
