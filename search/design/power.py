"""Computes before a study what it can show: its smallest detectable difference, seeds needed.

Takes the weights of a contrast, the number of networks that share seeds, and the spread of a
network's scores between seeds. Exact for normal noise, by the noncentral t-distribution (Cohen,
"Statistical Power Analysis for the Behavioral Sciences", 2nd ed. 1988, ch. 2). With 2 or 3
seeds a report gives noisier networks their own spread; the degrees of freedom are then about
those it has on average (Satterthwaite 1946), and 75 to 90 of 100 studies find the difference.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from search.design.anytime import reach
from search.design.spread import POOLED_FROM

POWER = 0.8  # share of studies that find a difference of the given size
MOST_SEEDS = 100_000  # if more are needed, the answer is: no number of seeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The conditions under which a contrast is estimated.

    Attributes:
        networks: number of networks that run the same seeds, including those of weight 0: all
            contribute to the estimate of the spread.
        spread: standard deviation of a score over seeds, after removing the effects of network
            and seed; in the unit of the score.
        always_valid: whether the interval must hold at every look.
        level: level of the intervals; for several contrasts at once, by Bonferroni, 1 - 0.05 /
            number.
    """

    networks: int
    spread: float
    always_valid: bool = False
    level: float = 0.95

    def df(self, seeds: int, weights: Mapping[str, float]) -> float:
        """Degrees of freedom of the spread of a contrast.

        From POOLED_FROM seeds on, the spread is pooled over all networks, as nearly always if
        intervals hold at every look. With fewer seeds noisy networks have their own spread, and
        the average of Satterthwaite's ratio is taken as the ratio of the averages of its parts,
        where a variance of f degrees of freedom has a mean square of 1 + 2 / f.

        Args:
            seeds: the seeds that all networks run.
            weights: weights of the contrast, by network.
        """
        pooled = (self.networks - 1) * (seeds - 1)
        if seeds >= POOLED_FROM or self.networks <= 2 or self.always_valid:
            return max(pooled, 0)  # with two networks, nobody can tell which one varies
        own = seeds - 1
        squares = [weight * weight for weight in weights.values()]
        alike = math.fsum(squares) ** 2 / math.fsum(one * one for one in squares)
        return min(max(own * (own * alike + 2) / (own + 2), own), pooled)

    def reach(self, seeds: int, weights: Mapping[str, float]) -> float:
        """Half-width of the interval in standard errors; infinite if there is no interval."""
        df = self.df(seeds, weights)
        if df <= 0:
            return math.inf
        if self.always_valid:
            return reach(df=df, seeds=seeds, level=self.level)
        from scipy.special import stdtrit  # noqa: PLC0415 - slower to import than the plan

        return float(stdtrit(df, (1 + self.level) / 2))

    def at_once(self, contrasts: int) -> "Setting":
        """The same for so many contrasts, all of which are to hold (Bonferroni)."""
        return replace(self, level=1 - (1 - self.level) / max(contrasts, 1))


def standard_error(weights: Mapping[str, float], *, spread: float, seeds: int) -> float:
    """Standard error of a contrast over shared seeds, in the unit of the spread."""
    return spread * math.sqrt(math.fsum(w * w for w in weights.values()) / seeds)


def detectable(
    weights: Mapping[str, float], setting: Setting, *, seeds: int, power: float = POWER
) -> float:
    """The smallest true difference that a study finds in 80 of 100 cases.

    A difference is found if the interval excludes 0, on either side.

    Args:
        weights: weights of the contrast, by network; they sum to 0.
        setting: networks, spread, interval.
        seeds: the seeds that all networks run.
        power: another share of cases.

    Returns:
        In the unit of the spread; infinite if there is no interval, as with one seed.
    """
    limit = setting.reach(seeds, weights)
    if math.isinf(limit):
        return math.inf
    away = _away(limit, setting.df(seeds, weights), power)
    return away * standard_error(weights, spread=setting.spread, seeds=seeds)


def seeds_needed(
    weights: Mapping[str, float], setting: Setting, *, difference: float, power: float = POWER
) -> int | None:
    """The number of seeds from which on a true difference is found in 80 of 100 cases.

    Args:
        weights: weights of the contrast, by network; they sum to 0.
        setting: networks, spread, interval.
        difference: difference to be found, in the unit of the spread.
        power: another share of cases.

    Returns:
        At least 2; None if MOST_SEEDS are not enough.
    """

    def finds(seeds: int) -> bool:
        return detectable(weights, setting, seeds=seeds, power=power) <= abs(difference)

    most = 2
    while not finds(most):
        most *= 2
        if most > MOST_SEEDS:
            return None
    fewest = max(2, most // 2)
    while fewest < most:
        middle = (fewest + most) // 2
        fewest, most = (fewest, middle) if finds(middle) else (middle + 1, most)
    return most


def _away(limit: float, df: float, power: float) -> float:
    """The true effect, in standard errors, that exceeds the limit with probability `power`."""
    from scipy.optimize import brentq  # noqa: PLC0415
    from scipy.special import nctdtr  # noqa: PLC0415

    def found(away: float) -> float:
        wrong = float(nctdtr(df, away, -limit))  # the wrong sign; scipy gives none below 1e-9
        right = 1 - float(nctdtr(df, away, limit))
        return right + (0.0 if math.isnan(wrong) else wrong) - power

    most = limit + 4
    while found(most) < 0:
        most *= 2
    return float(brentq(found, 0.0, most, xtol=1e-9))
