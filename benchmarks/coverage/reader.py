"""Simulates studies of known truth: coverage of the intervals on a run's cards."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.random import Generator

from analysis.statistics.best_of import expected_best_band
from analysis.statistics.components import ceiling
from analysis.statistics.intervals import FloatArray, Interval
from analysis.statistics.many import effect_sizes
from analysis.statistics.resampling import rank_correlation

_BEST_OF_5 = -1.1629644736405196  # expected minimum of five normal numbers


def _rank_correlation(networks: int, correlation: float) -> Callable[[Generator], bool]:
    """Normal scores, with tau 2 / pi arcsin(correlation) (Kruskal 1958)."""

    def holds(rng: Generator) -> bool:
        a, noise = rng.standard_normal((2, networks))
        found = rank_correlation(a, correlation * a + np.sqrt(1 - correlation**2) * noise)
        truth = 2 / np.pi * np.arcsin(correlation)
        return found.low is None or found.high is None or found.low <= truth <= found.high

    return holds


def _expected_best(rng: Generator) -> bool:
    """The best of 5, estimated from 50 networks: the last k with an interval."""
    row = expected_best_band(rng.standard_normal(50), [5], rng=rng).iloc[0]
    return bool(row["low"] <= _BEST_OF_5 <= row["high"])


def _ceiling_of(groups: Iterable[FloatArray]) -> Interval:
    """The noise ceiling of rows of scores, one row per network."""
    rows = [(f"n{i}", j, float(x)) for i, row in enumerate(groups) for j, x in enumerate(row)]
    return ceiling([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])


def _ceiling(rng: Generator) -> bool:
    """20 networks with three seeds; networks and noise have equal variance."""
    shared = rng.normal(0, 2, 3)  # a seed's common effect does not change ranks
    found = _ceiling_of(rng.normal(0, 1, (20, 1)) + shared + rng.normal(0, 1, (20, 3)))
    assert found.low is not None
    assert found.high is not None
    return found.low <= 2 / np.pi * np.arcsin(0.75) <= found.high


def _uneven_ceiling(rng: Generator) -> bool:
    """20 networks, half with two seeds and half with six; the truth is the mean over pairs."""
    seeds = np.repeat([2, 6], 10)
    groups = [rng.normal(0, 1) + rng.normal(0, 1, count) for count in seeds]
    found = _ceiling_of(groups)
    assert found.low is not None
    assert found.high is not None
    noise = (1 / seeds[:, None] + 1 / seeds)[np.triu_indices(20, 1)]
    return found.low <= np.mean(2 / np.pi * np.arcsin(2 / (2 + noise))) <= found.high


def _hedges(rng: Generator) -> bool:
    """A network named beforehand, 1.5 standard deviations off, among ten with three seeds."""
    table = rng.standard_normal((10, 3)) + np.array([0, 1.5, *[3.0] * 8])[:, None]
    row = effect_sizes(table).loc[1]
    return bool(row["low"] <= 1.5 <= row["high"])


def _hedges_of_the_best(rng: Generator) -> bool:
    """The same, compared with the best of four as selected by the same seeds."""
    means = np.array([0, 0.5, 1.0, 1.5])
    table = rng.standard_normal((4, 3)) + means[:, None]
    order = np.argsort(table.mean(axis=1))
    row, truth = effect_sizes(table[order]).loc[3], means[order[3]] - means[order[0]]
    return bool(row["low"] <= truth <= row["high"])


SIMULATIONS: dict[str, Callable[[Generator], bool]] = {
    "rank correlation 8 of 0.5": _rank_correlation(8, 0.5),
    "rank correlation 12 of 0.8": _rank_correlation(12, 0.8),
    "rank correlation 30 of 0.8": _rank_correlation(30, 0.8),
    "expected best": _expected_best,
    "noise ceiling": _ceiling,
    "noise ceiling, seeds differ": _uneven_ceiling,
    "hedges g": _hedges,
    "hedges g, against the best": _hedges_of_the_best,
}
