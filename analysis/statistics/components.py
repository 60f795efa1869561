"""Separates network variance from seed noise: how well can ranks be reproduced at all?

Takes trials (network, seed, score), and gives questions the rank correlation that two
independent sets of as many seeds would reach. What a seed adds equally to all networks does not
change ranks, so the noise is that of `analysis.statistics.mixed`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from analysis.statistics.intervals import Interval, StatisticsError, checked_level
from analysis.statistics.mixed import fit


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """Variance components of score = network + seed + noise, by the method of moments.

    Attributes:
        networks: variance between the networks' true means; 0 where noise explains it all.
        noise: variance of one trial after removing its network's and its seed's effect.
        each: trials per network; the harmonic mean where they differ.
        df_networks: degrees of freedom between networks.
        df_noise: degrees of freedom of the noise.
        ratio: F, the ratio of the mean squares of networks and noise.
    """

    networks: float
    noise: float
    each: float
    df_networks: int
    df_noise: int
    ratio: float


def components(
    networks: Sequence[str], seeds: Sequence[Any], scores: Sequence[float]
) -> Components:
    """Compute the variances between networks and of noise from mean squares (Fisher 1925).

    Where networks have different numbers of trials, their means count equally and the harmonic
    mean is used as the number (Thomas and Hultquist 1978, Annals of Statistics 6).

    Args:
        networks: network of each trial.
        seeds: seed of each trial; equal values are the same seed.
        scores: score of each trial.

    Raises:
        StatisticsError: fewer than two networks, no two that share two seeds, trials that
            differ only by a network and a seed effect, or a value that is not finite.
    """
    model = fit(networks, seeds, scores)
    if len(model.networks) < 2 or model.df <= 0:
        raise StatisticsError(
            f"scores: {len(model.networks)} network(s) with {len(scores)} trial(s) in all do "
            "not tell networks from chance; train two networks or more with two shared seeds "
            "or more"
        )
    if not model.sigma > 0:
        raise StatisticsError(
            "scores: they differ by network and seed alone, so they say nothing of chance; "
            "give seeds that change what is trained"
        )
    each = float(1 / np.mean(1 / model.trials))
    spread, noise = float(model.means.var(ddof=1)), model.sigma**2
    return Components(
        networks=max(spread - noise / each, 0.0), noise=noise, each=each,
        df_networks=len(model.networks) - 1, df_noise=model.df, ratio=each * spread / noise,
    )  # fmt: skip


def between(first: float, second: float) -> float:
    """The tau that scores of equal true ranks would have, from the ceiling of each.

    With normal scores tau is 2 / pi arcsin(r) (Kruskal 1958), and two scores whose true values
    are the same correlate by the root of the product of their reliabilities (Spearman 1904).

    Args:
        first: `ceiling` of the first score.
        second: that of the second.
    """
    reliable = np.sin(np.pi / 2 * np.array([first, second]))
    return float(2 / np.pi * np.arcsin(np.sqrt(reliable.prod())))


def ceiling(
    networks: Sequence[str],
    seeds: Sequence[Any],
    scores: Sequence[float],
    *,
    level: float = 0.95,
) -> Interval:
    """Kendall's tau that two independent sets of as many seeds would have: the noise ceiling.

    Model: network means are normal, a seed's effect is the same for all networks, and noise is
    normal and equal in all networks. Apart from the seed effects, means of two sets of s seeds
    then correlate with r = networks / (networks + noise / s), and tau is 2 / pi arcsin(r)
    (Kruskal 1958), which is the limit of simulating the model. The interval is exact where all
    networks ran the same seeds: it is that of the F ratio of the mean squares (Searle, Casella
    and McCulloch 1992, section 3.6), clipped at 0.

    Args:
        networks: network of each trial.
        seeds: seed of each trial; equal values are the same seed.
        scores: score of each trial.
        level: confidence level.

    Returns:
        tau; its `n` is the number of networks.

    Raises:
        StatisticsError: as `components`.
    """
    found, share = components(networks, seeds, scores), (1 + checked_level(level)) / 2
    law = stats.f(found.df_networks, found.df_noise)
    reliability = found.networks / (found.networks + found.noise / found.each)
    ends = [
        max(1 - float(law.ppf(p)) / found.ratio, 0.0) if found.ratio else 0.0
        for p in (share, 1 - share)
    ]
    estimate, low, high = (2 / np.pi * float(np.arcsin(r)) for r in (reliability, *ends))
    return Interval(
        estimate=estimate, low=min(low, estimate), high=max(high, estimate),
        n=found.df_networks + 1, level=level,
    )  # fmt: skip
