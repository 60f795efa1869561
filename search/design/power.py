"""Says before a study what it can show: the smallest difference it finds, the seeds it needs.

Go in: the weights of a contrast, how many networks share seeds, how far a network's scores
spread between seeds. Exact for normal noise, by the noncentral t-distribution (Cohen,
"Statistical Power Analysis for the Behavioral Sciences", 2nd ed. 1988, ch. 2). With 2 or 3
seeds a report lets networks that spread farther have their own spread; then the degrees of
freedom are about those that it finds on average (Satterthwaite 1946), and of 100 studies 75
to 90 find it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from search.design.anytime import reach
from search.design.spread import POOLED_FROM

POWER = 0.8  # the share of studies that find a difference as large as is said
MOST_SEEDS = 100_000  # beyond it the answer is: no number of seeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a contrast is estimated among.

    Attributes:
        networks: that run the same seeds, those of weight 0 among them: all tell the spread.
        spread: standard deviation of a score over seeds, once what a network and a seed add
            are taken away; in the unit of the score.
        always_valid: whether the interval must hold at every look.
        level: of the intervals; of several contrasts at once by Bonferroni 1 - 0.05 / number.
    """

    networks: int
    spread: float
    always_valid: bool = False
    level: float = 0.95

    def df(self, seeds: int, weights: Mapping[str, float]) -> float:
        """Degrees of freedom of the spread of a contrast.

        From POOLED_FROM seeds on all networks tell it together, as nearly always where
        intervals hold at every look. Of fewer the noisy ones tell their own, and what
        Satterthwaite's ratio is on average is that of the means of its parts, where a variance
        of f degrees of freedom has a square of 1 + 2 / f on average.

        Args:
            seeds: that all networks run.
            weights: of the contrast, by network.
        """
        pooled = (self.networks - 1) * (seeds - 1)
        if seeds >= POOLED_FROM or self.networks <= 2 or self.always_valid:
            return max(pooled, 0)  # of two networks nobody can tell which of them varies
        own = seeds - 1
        squares = [weight * weight for weight in weights.values()]
        alike = math.fsum(squares) ** 2 / math.fsum(one * one for one in squares)
        return min(max(own * (own * alike + 2) / (own + 2), own), pooled)

    def reach(self, seeds: int, weights: Mapping[str, float]) -> float:
        """Standard errors from the estimate to each end of its interval; infinite for none."""
        df = self.df(seeds, weights)
        if df <= 0:
            return math.inf
        if self.always_valid:
            return reach(df=df, seeds=seeds, level=self.level)
        from scipy.special import stdtrit  # noqa: PLC0415 - it takes longer than the plan

        return float(stdtrit(df, (1 + self.level) / 2))

    def at_once(self, contrasts: int) -> "Setting":
        """The same for so many contrasts, all of which are to hold (Bonferroni)."""
        return replace(self, level=1 - (1 - self.level) / max(contrasts, 1))


def standard_error(weights: Mapping[str, float], *, spread: float, seeds: int) -> float:
    """Of a contrast over seeds that all its networks share, in the unit of the spread."""
    return spread * math.sqrt(math.fsum(w * w for w in weights.values()) / seeds)


def detectable(
    weights: Mapping[str, float], setting: Setting, *, seeds: int, power: float = POWER
) -> float:
    """The smallest true difference that a study finds in 80 of 100 cases.

    To find it is that the interval leaves out 0, on either side.

    Args:
        weights: of the contrast, by network; they add up to 0.
        setting: networks, spread, interval.
        seeds: that all networks run.
        power: another share of cases.

    Returns:
        In the unit of the spread; infinite where there is no interval: of one seed.
    """
    limit = setting.reach(seeds, weights)
    if math.isinf(limit):
        return math.inf
    away = _away(limit, setting.df(seeds, weights), power)
    return away * standard_error(weights, spread=setting.spread, seeds=seeds)


def seeds_needed(
    weights: Mapping[str, float], setting: Setting, *, difference: float, power: float = POWER
) -> int | None:
    """Seeds from which on a true difference is found in 80 of 100 cases.

    Args:
        weights: of the contrast, by network; they add up to 0.
        setting: networks, spread, interval.
        difference: that is to be found, in the unit of the spread.
        power: another share of cases.

    Returns:
        At least 2; None where MOST_SEEDS are not enough.
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
    """How many standard errors a true effect is from 0, of which the limit finds so many."""
    from scipy.optimize import brentq  # noqa: PLC0415
    from scipy.special import nctdtr  # noqa: PLC0415

    def found(away: float) -> float:
        wrong = float(nctdtr(df, away, -limit))  # the sign; scipy has no number below 1e-9
        right = 1 - float(nctdtr(df, away, limit))
        return right + (0.0 if math.isnan(wrong) else wrong) - power

    most = limit + 4
    while found(most) < 0:
        most *= 2
    return float(brentq(found, 0.0, most, xtol=1e-9))
