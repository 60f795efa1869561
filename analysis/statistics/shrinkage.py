"""Estimates the true means of networks without the luck of being selected as the best.

Takes the `Model` of `analysis.statistics.mixed`, where each network has its own mean, and gives
estimates to `analysis.questions`. The mean of the best of many is too good, since luck helped
to select it. Here all networks are treated as drawn from one population, and each mean is
shrunk towards the population's, the more strongly the larger the noise is compared with the
spread of the means (best linear unbiased prediction; Henderson 1975, Biometrics 31; Efron and
Morris 1975). Such estimates and their intervals remain valid whichever network is selected.

The noise of each network is moderated: its own, drawn towards that of all networks, the more
strongly the more alike they vary (Smyth 2004, Statistical Applications in Genetics and
Molecular Biology 3); how alike is averaged over, too. That of a single network with two or
three seeds alone would be too uncertain. One noise for all would be too little for those that
vary more, which are selected more often (`benchmarks.coverage`).
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from analysis.statistics.intervals import FloatArray, StatisticsError
from analysis.statistics.mixed import Model

_PLACES = 80  # points of the grid for the population's spread
_WIDEST = 4.0  # end of the grid, in standard deviations of the means
_DRAWS = 2000
_MOST = 4_000_000  # numbers drawn at most
_LEAST = 200  # draws at least, however many networks
_FEWEST = 3  # networks needed to estimate a population
# Degrees of freedom that the networks' common variance may count for; the last: all alike.
_PRIORS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 32.0, 64.0, 1e6)
_LEVELS = (-3.0, 1.5, 46)  # logarithms of a common variance, relative to the pooled one


@dataclass(frozen=True, kw_only=True)
class Shrunken:
    """What is known about each network's true mean.

    Attributes:
        networks: names.
        means: expected true means, in the unit of the scores.
        low: 2.5 % quantile of each true mean.
        high: 97.5 % quantile.
        kept: share of a mean's distance from the population's that is not noise, 0 to 1.
        draws: (draws, networks) joint draws of the true means.
    """

    networks: tuple[str, ...]
    means: FloatArray
    low: FloatArray
    high: FloatArray
    kept: FloatArray
    draws: FloatArray


def shrink(model: Model, *, rng: np.random.Generator) -> Shrunken:
    """Estimate the true mean of each network as a member of a population.

    The population's mean and spread and the noise are also unknown and are averaged over: with
    a flat prior on mean and spread (Gelman 2006, Bayesian Analysis 1), and the noise according
    to its degrees of freedom.

    Args:
        model: from `analysis.statistics.mixed.fit`.
        rng: draws the possible means.

    Raises:
        StatisticsError: fewer than three networks, or nothing to estimate the noise from.
    """
    count = len(model.networks)
    if count < _FEWEST:
        raise StatisticsError(
            f"{count} network{'s are' if count != 1 else ' is'} too few to tell luck from "
            f"skill; give {_FEWEST} or more, two of them with two seeds in common"
        )
    if not model.df > 0:
        raise StatisticsError(
            f"{count} networks with {model.df} degrees of freedom between seeds do not tell "
            "luck from skill; give two or more of them two seeds in common"
        )
    if not model.sigma > 0:
        raise StatisticsError(
            f"{count} networks differ alike in every seed, so nothing is known of luck; look "
            "whether the seeds were different"
        )
    draws = max(_LEAST, min(_DRAWS, _MOST // len(model.networks)))
    variance = _noise(model, draws, rng=rng) / model.trials
    spread = _population(model.means, variance, rng=rng)
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
    """The probability that each network's true mean is the best of all.

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
    """The probability for each network that none is both cheaper and truly better.

    Args:
        shrunken: from `shrink`.
        costs: costs of the networks, known exactly; less is better.
        lower_is_better: whether the scores are errors.
    """
    draws = shrunken.draws if lower_is_better else -shrunken.draws
    order = np.argsort(costs, kind="stable")
    ranked, cost = draws[:, order], np.asarray(costs)[order]
    # Networks of equal cost count as cheaper, but a network is never beaten by itself.
    best = np.minimum.accumulate(ranked, axis=1)
    last = np.searchsorted(cost, cost, side="right") - 1
    share = (ranked <= best[:, last]).mean(axis=0)
    found = np.empty(len(order))
    found[order] = share
    return found


def _noise(model: Model, draws: int, *, rng: np.random.Generator) -> FloatArray:
    """Draw the variance of a single trial of each network: (draws, networks)."""
    own = np.maximum(model.trials - 1, 0) * model.df / np.maximum(model.trials - 1, 0).sum()
    levels = model.sigma**2 * np.exp(np.linspace(*_LEVELS))
    likely = _likelihood(model.squares, own, levels)
    picked = rng.choice(likely.size, size=draws, p=likely.ravel())
    place, height = np.unravel_index(picked, likely.shape)
    prior, level = np.array(_PRIORS)[place, None], levels[height, None]
    total = prior * level + model.squares
    return np.asarray(total / rng.chisquare(prior + own, size=(draws, len(own))), dtype=float)


def _likelihood(squares: FloatArray, freedom: FloatArray, levels: FloatArray) -> FloatArray:
    """How likely each distribution of the networks' variances is: (priors, levels), sum 1.

    A level times the degrees of freedom of a prior, divided by a chi-square of as many, is the
    variance of a network; its squares then follow F, times the level (Smyth 2004).

    Args:
        squares: sums of squared residuals.
        freedom: degrees of freedom of each.
        levels: common variances to compare.
    """
    known = (squares > 0) & (freedom > 0)
    f, prior = freedom[known], np.array(_PRIORS)[:, None, None]
    ratio = (squares[known] / f) / levels[:, None]
    log = (
        prior / 2 * np.log(prior) + f / 2 * np.log(f * ratio)
        - (f + prior) / 2 * np.log(prior + f * ratio) - special.betaln(f / 2, prior / 2)
    ).sum(axis=2)  # fmt: skip
    chance = np.exp(log - log.max())
    return np.asarray(chance / chance.sum(), dtype=float)


def _population(
    means: FloatArray, variance: FloatArray, *, rng: np.random.Generator
) -> FloatArray:
    """Draw a spread of the population of networks for each draw of their means' variances."""
    grid = np.linspace(0.0, _WIDEST * float(means.std(ddof=1)) + 1e-12, _PLACES)
    log = np.empty((len(variance), _PLACES))
    away = means - means.mean()
    for place, spread in enumerate(grid):
        total = spread**2 + variance
        weight = 1 / total
        centre = (weight * away).sum(axis=1) / weight.sum(axis=1)
        squares = (weight * (away - centre[:, None]) ** 2).sum(axis=1)
        log[:, place] = np.log(total).sum(axis=1) + np.log(weight.sum(axis=1)) + squares
    chance = np.exp(-0.5 * (log - log.min(axis=1, keepdims=True)))
    reached = np.cumsum(chance, axis=1) / chance.sum(axis=1, keepdims=True)
    picked = (reached < rng.random(len(variance))[:, None]).sum(axis=1)
    return np.asarray(grid[np.minimum(picked, _PLACES - 1)], dtype=float)
