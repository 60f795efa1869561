"""Says how good networks are when the best of many is looked at: estimates that luck is out of.

Takes the `Model` of `analysis.statistics.mixed`, where each network has a mean of its own, and
hands estimates to `analysis.questions`. The mean of the best of many is too good, since luck
helped to choose it. Taken as drawn from one population of networks, each mean is drawn
towards the population's: the more, the more of the spread of means is noise (best linear
unbiased prediction; Henderson 1975, Biometrics 31; Efron and Morris 1975). Such estimates,
and their intervals, stay right for whichever network is chosen.
"""

from dataclasses import dataclass

import numpy as np

from analysis.statistics.intervals import FloatArray, StatisticsError
from analysis.statistics.mixed import Model

_PLACES = 80  # of the grid of the population's spread
_WIDEST = 4.0  # times the spread of the means, where the grid ends
_DRAWS = 2000
_MOST = 4_000_000  # numbers that are drawn
_LEAST = 200  # draws of however many networks
_FEWEST = 3  # networks that tell of a population


@dataclass(frozen=True, kw_only=True)
class Shrunken:
    """What is known of each network's true mean.

    Attributes:
        networks: names.
        means: expected, in the unit of the scores.
        low: 2.5 % of what it may be.
        high: 97.5 %.
        kept: of a mean's distance from the population's the share that is no noise, 0 to 1.
        draws: (draws, networks) of what the true means may be together.
    """

    networks: tuple[str, ...]
    means: FloatArray
    low: FloatArray
    high: FloatArray
    kept: FloatArray
    draws: FloatArray


def shrink(model: Model, *, rng: np.random.Generator) -> Shrunken:
    """Estimate the true mean of each network, as one of a population.

    The population's mean and spread and the noise are not known either; what they may be is
    averaged over: a flat prior on mean and spread (Gelman 2006, Bayesian Analysis 1), noise by
    its degrees of freedom. Noise is pooled over networks: that of one with two or three seeds
    would be too uncertain to weigh its mean by.

    Args:
        model: from `analysis.statistics.mixed.fit`.
        rng: draws what the means may be.

    Raises:
        StatisticsError: fewer than three networks, or no two trials that tell of the noise.
    """
    if len(model.networks) < _FEWEST or not (model.df > 0 and model.sigma > 0):
        raise StatisticsError(
            f"{len(model.networks)} networks with {model.df} degrees of freedom between seeds "
            f"do not tell luck from skill; give {_FEWEST} networks or more, two with two seeds"
        )
    draws = max(_LEAST, min(_DRAWS, _MOST // len(model.networks)))
    noise = model.sigma**2 * model.df / rng.chisquare(model.df, size=draws)
    own = 1 / model.trials
    spread = _population(model.means, own, noise, rng=rng)
    variance = noise[:, None] * own[None, :]
    kept = spread[:, None] ** 2 / (spread[:, None] ** 2 + variance)
    weight = 1 / (spread[:, None] ** 2 + variance)
    centre = (weight * model.means).sum(axis=1) / weight.sum(axis=1)
    centre += rng.standard_normal(draws) / np.sqrt(weight.sum(axis=1))
    middle = centre[:, None] + kept * (model.means - centre[:, None])
    drawn = middle + rng.standard_normal(middle.shape) * np.sqrt(kept * variance)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return Shrunken(
        networks=model.networks, means=middle.mean(axis=0), low=low, high=high,
        kept=kept.mean(axis=0), draws=drawn,
    )  # fmt: skip


def probability_best(shrunken: Shrunken, *, lower_is_better: bool) -> FloatArray:
    """How probable it is of each network that its true mean is the best of all.

    Args:
        shrunken: from `shrink`.
        lower_is_better: whether the scores are errors.
    """
    draws = shrunken.draws if lower_is_better else -shrunken.draws
    counts = np.bincount(draws.argmin(axis=1), minlength=draws.shape[1])
    return np.asarray(counts / len(draws), dtype=float)


def probability_on_front(
    shrunken: Shrunken, costs: FloatArray, *, lower_is_better: bool
) -> FloatArray:
    """How probable it is of each network that none is both cheaper and truly better.

    Args:
        shrunken: from `shrink`.
        costs: of the networks, known exactly; less is better.
        lower_is_better: whether the scores are errors.
    """
    draws = shrunken.draws if lower_is_better else -shrunken.draws
    order = np.argsort(costs, kind="stable")
    ranked, cost = draws[:, order], np.asarray(costs)[order]
    # Of equal cost all count as cheaper, but a network is never beaten by itself.
    best = np.minimum.accumulate(ranked, axis=1)
    last = np.searchsorted(cost, cost, side="right") - 1
    share = (ranked <= best[:, last]).mean(axis=0)
    found = np.empty(len(order))
    found[order] = share
    return found


def _population(
    means: FloatArray, own: FloatArray, noise: FloatArray, *, rng: np.random.Generator
) -> FloatArray:
    """Draw what the spread of the population of networks may be, one for each noise."""
    grid = np.linspace(0.0, _WIDEST * float(means.std(ddof=1)) + 1e-12, _PLACES)
    # Networks with the same number of trials count together: sums are all that is needed.
    values, place, count = np.unique(own.round(12), return_inverse=True, return_counts=True)
    total = np.bincount(place, means)
    squares = np.bincount(place, (means - means.mean()) ** 2)
    average = total / count - means.mean()
    variance = grid[None, :, None] ** 2 + noise[:, None, None] * values[None, None, :]
    weight = count / variance
    centre = (weight * average).sum(axis=2) / weight.sum(axis=2)
    away = squares - 2 * centre[:, :, None] * average * count + centre[:, :, None] ** 2 * count
    log = -0.5 * (
        (count * np.log(variance)).sum(axis=2)
        + np.log(weight.sum(axis=2))
        + (away / variance).sum(axis=2)
    )
    chance = np.exp(log - log.max(axis=1, keepdims=True))
    reached = np.cumsum(chance, axis=1) / chance.sum(axis=1, keepdims=True)
    picked = (reached < rng.random(len(noise))[:, None]).sum(axis=1)
    return np.asarray(grid[np.minimum(picked, _PLACES - 1)], dtype=float)
