"""Bounds a contrast so that the bound holds at every look: seeds may be added at any time.

Takes a contrast's estimate as a multiple of its standard error, degrees of freedom, and seeds.
Gives the half-width of an interval, and a p-value. If one looks after every seed and stops at
will, at least one of the intervals misses the truth in no more than 5 % of studies.

The estimate is tested by a mixture: how much likelier the data are under an effect drawn from a
normal distribution than under no effect, whatever the spread, the other networks and the seeds
(a right-Haar prior on these, so that only invariant statistics matter and the ratio is a
martingale when there is no effect). By Ville's inequality that ratio ever exceeds 1/0.05 in at
most 5 % of studies without an effect. Lindon, Ham, Tingley and Bojinov, "Anytime-Valid Linear
Models and Regression Adjusted Causal Inference in Randomized Experiments" (2022);
Perez-Ortiz, Lardy, de Heide and Gruenwald, "E-Statistics, Group Invariance and Anytime Valid
Testing" (2022).

It assumes normal noise, equal for all networks, and that all networks run each seed.
"""

import math

# Variance of the effects in the mixture, in units of one seed's noise in the contrast. With 2
# the interval is within 3 % of the narrowest of any choice, for 4 to 8 seeds of 16 networks,
# and a study of only two networks has one from 4 seeds on (with 1 only from 5 on).
_EFFECTS = 2.0


def reach(*, df: float, seeds: int, level: float = 0.95) -> float:
    """Half-width, in standard errors, of an interval that holds at every look.

    Args:
        df: degrees of freedom of the spread: (I - 1)(S - 1) for I networks and S seeds.
        seeds: number of seeds behind the estimate at present.
        level: share of studies in which all intervals, at all looks, contain the truth.

    Returns:
        A multiple of spread * sqrt(sum of squared weights / seeds); infinite if there are too
        few seeds for any bound.
    """
    if df <= 0:
        return math.inf
    wider = 1 + seeds * _EFFECTS
    limit = (math.sqrt(wider) / (1 - level)) ** (2 / (df + 1))
    if limit >= wider:
        return math.inf
    return math.sqrt(df * (limit - 1) / (1 - limit / wider))


def p_value(t: float, *, df: float, seeds: int) -> float:
    """Probability, without an effect, of as strong evidence at any look so far or to come.

    The smallest over all looks is a p-value as well.

    Args:
        t: estimate over its standard error.
        df: degrees of freedom of the spread.
        seeds: number of seeds behind the estimate.
    """
    if df <= 0:
        return 1.0
    wider = 1 + seeds * _EFFECTS
    there = t * t / df
    ratio = (math.log1p(there) - math.log1p(there / wider)) * (df + 1) / 2
    return min(1.0, math.exp(math.log(wider) / 2 - ratio))
