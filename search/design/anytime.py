"""Bounds a contrast so that the bound holds at every look: seeds may be added at any time.

Go in: a contrast's estimate as a multiple of its standard error, degrees of freedom, seeds.
Come out: how far an interval reaches, and a p-value. Looking after every seed and stopping when
one likes, all intervals together miss the truth in no more than 5 % of studies.

The estimate is weighed by a mixture: how much likelier are the data under an effect drawn from
a normal distribution than under none, whatever the spread, the other networks and the seeds (a
right-Haar prior on these, so that only invariant statistics matter and the ratio is a
martingale when there is no effect). By Ville's inequality that ratio ever exceeds 1/0.05 in at
most 5 % of studies without an effect. Lindon, Ham, Tingley and Bojinov, "Anytime-Valid Linear
Models and Regression Adjusted Causal Inference in Randomized Experiments" (2022);
Perez-Ortiz, Lardy, de Heide and Gruenwald, "E-Statistics, Group Invariance and Anytime Valid
Testing" (2022).

It takes noise to be normal, alike for all networks, and each seed to be run by all of them.
"""

import math

# Variance of the effects that are weighed, in units of one seed's noise in the contrast. At 2
# the interval is within 3 % of the narrowest that any choice gives at 4 to 8 seeds of 16
# networks, and two networks alone have one from 4 seeds on (at 1 only from 5 on).
_EFFECTS = 2.0


def reach(*, df: float, seeds: int, level: float = 0.95) -> float:
    """How many standard errors an interval that holds at every look reaches to each side.

    Args:
        df: degrees of freedom of the spread: of I networks and S seeds (I - 1)(S - 1).
        seeds: behind the estimate, counted now.
        level: the share of studies all of whose intervals, at all looks, hold the truth.

    Returns:
        A multiple of spread * sqrt(sum of squared weights / seeds); infinite where there are
        too few seeds for any bound.
    """
    if df <= 0:
        return math.inf
    wider = 1 + seeds * _EFFECTS
    limit = (math.sqrt(wider) / (1 - level)) ** (2 / (df + 1))
    if limit >= wider:
        return math.inf
    return math.sqrt(df * (limit - 1) / (1 - limit / wider))


def p_value(t: float, *, df: float, seeds: int) -> float:
    """How rarely, at any look so far or to come, there is as much against no effect.

    The smallest over all looks is a p-value as well.

    Args:
        t: estimate by its standard error.
        df: degrees of freedom of the spread.
        seeds: behind the estimate.
    """
    if df <= 0:
        return 1.0
    wider = 1 + seeds * _EFFECTS
    there = t * t / df
    ratio = (math.log1p(there) - math.log1p(there / wider)) * (df + 1) / 2
    return min(1.0, math.exp(math.log(wider) / 2 - ratio))
