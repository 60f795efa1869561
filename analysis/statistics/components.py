"""Separates what networks differ by from what seeds do: how well could ranks repeat at all?

Takes rows of values, one row a network and one value a seed, and hands the rank correlation
that two independent sets of as many seeds would reach to questions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.statistics.intervals import Interval, StatisticsError, checked, checked_level


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """Variance components of a one-way layout, by the method of moments.

    Attributes:
        networks: variance between the networks' true means; 0 where seeds explain all.
        seeds: variance of one seed inside a network.
        each: seeds a network: the harmonic mean where they differ.
        df_networks: degrees of freedom between networks.
        df_seeds: inside networks.
    """

    networks: float
    seeds: float
    each: float
    df_networks: int
    df_seeds: int


def components(groups: Sequence[ArrayLike]) -> Components:
    """Variances between networks and between seeds, from the mean squares (Fisher 1925).

    Where networks have different numbers of seeds, their means count alike and the harmonic
    mean stands for the number (Thomas and Hultquist 1978, Annals of Statistics 6).

    Args:
        groups: one row of values a network; lengths may differ, and those of one seed count
            for what networks differ by only.

    Raises:
        StatisticsError: fewer than two networks, no network with two seeds, seeds that do not
            differ, or a value that is not finite.
    """
    rows = [checked(group, name=f"group {i}") for i, group in enumerate(groups)]
    df = sum(row.size - 1 for row in rows)
    if len(rows) < 2 or not df:
        raise StatisticsError(
            f"groups: {len(rows)} network(s) with {df + len(rows)} seed(s) in all do not tell "
            "networks from seeds; train two networks or more with two seeds or more each"
        )
    means = np.array([row.mean() for row in rows])
    inside = float(sum(((row - row.mean()) ** 2).sum() for row in rows)) / df
    if inside <= 1e-20 * float(np.abs(means).max()) ** 2:
        raise StatisticsError(
            "groups: the seeds of each network are all equal, so they say nothing of chance; "
            "give seeds that change what is trained"
        )
    each = float(1 / np.mean([1 / row.size for row in rows]))
    between = max(float(means.var(ddof=1)) - inside / each, 0.0)
    return Components(
        networks=between, seeds=inside, each=each, df_networks=len(rows) - 1, df_seeds=df
    )


def ceiling(groups: Sequence[ArrayLike], *, level: float = 0.95) -> Interval:
    """Kendall's tau that two independent sets of as many seeds would have: the noise ceiling.

    Model: a network's mean is normal, and a seed adds normal noise that is alike in all
    networks. Means of two sets of s seeds then correlate with
    r = networks / (networks + seeds / s), and tau is 2 / pi arcsin(r) (Kruskal 1958): what
    simulating the model without end gives. The interval is exact where all networks have the
    same number of seeds: it is that of the F ratio of the mean squares (Searle, Casella and
    McCulloch 1992, section 3.6), cut at 0.

    Args:
        groups: one row of values a network, one value a seed (`components`).
        level: of confidence.

    Returns:
        tau; its n is the number of networks.

    Raises:
        StatisticsError: as `components`.
    """
    found, share = components(groups), (1 + checked_level(level)) / 2
    means = [checked(group, name="group").mean() for group in groups]
    ratio = found.each * float(np.var(means, ddof=1)) / found.seeds
    law = stats.f(found.df_networks, found.df_seeds)
    reliability = found.networks / (found.networks + found.seeds / found.each)
    ends = [
        max(1 - float(law.ppf(p)) / ratio, 0.0) if ratio else 0.0 for p in (share, 1 - share)
    ]
    estimate, low, high = (2 / np.pi * float(np.arcsin(r)) for r in (reliability, *ends))
    return Interval(
        estimate=estimate, low=min(low, estimate), high=max(high, estimate),
        n=len(groups), level=level,
    )  # fmt: skip
