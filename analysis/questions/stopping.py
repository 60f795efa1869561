"""Decides by which rule a run may be tested: with the planned seeds only, or at every look.

If seeds are added after a look at the results, tests for a fixed number of seeds find
differences that do not exist: in 18 % of studies, when looking at 3, 4, ... 12 seeds and
stopping at p < 0.05.
"""

from typing import NamedTuple

import numpy as np

from analysis.runs.run import Run
from analysis.statistics.intervals import FloatArray
from analysis.statistics.mixed import Estimates
from analysis.statistics.simultaneous import Together, together
from search.design.anytime import p_value, reach


class Rule(NamedTuple):
    """How intervals and p of a run's comparisons are computed.

    Attributes:
        every_look: whether intervals are valid at every look, however many there are.
        tested: whether there are p values and claims.
        why: the reason in a sentence; empty for the usual rule.
    """

    every_look: bool
    tested: bool
    why: str = ""


FIXED = Rule(False, True)  # the planned number of seeds, tested when all have ended


def rule_of(run: Run) -> Rule:
    """The rule of a run, as chosen by its space file before the first trial."""
    if run.plan.analysis.stopping == "always_valid":
        return Rule(
            True,
            True,
            "Intervals and p are valid at every look (analysis.stopping: always_valid), so "
            "seeds may be added at any time.",
        )
    if run.manifest.seeds_unknown:
        return Rule(
            True,
            True,
            "The first start did not record how many seeds it planned: intervals and p are "
            "those that are valid at every look, which are wider.",
        )
    if run.manifest.seeds_added:
        return Rule(
            True,
            True,
            "Seeds were added when there were results to look at (in this run, or in one whose "
            "trials were taken over): "
            "intervals and p are those that are valid at every look, which are wider.",
        )
    if not run.finished:
        return Rule(
            False,
            False,
            "The run is not finished, so nothing is tested yet: a test at each look finds "
            "differences that do not exist.",
        )
    return FIXED


def bounded(
    estimates: Estimates,
    rule: Rule,
    *,
    seeds: int,
    level: float = 0.95,
    correlated: bool = True,
) -> tuple[Together, Together]:
    """Intervals and p of one family of comparisons, each alone and simultaneously.

    Args:
        estimates: estimates of the family.
        rule: from `rule_of`; p is NaN where nothing is tested.
        seeds: number of seeds they are based on.
        level: confidence level.
        correlated: whether the correlations of the estimates are known.

    Returns:
        Each by itself, and all simultaneously: by the largest |t|, or, if valid at every look
        or without known correlations, by Bonferroni.
    """
    count = max(int(np.isfinite(estimates.error).sum()), 1)
    alone, strict = (
        _at_every_look(estimates, seeds=seeds, level=one)
        if rule.every_look
        else Together(reach=estimates.reach(one), p=estimates.p())
        for one in (level, 1 - (1 - level) / count)
    )
    at_once = Together(reach=strict.reach, p=np.minimum(1.0, alone.p * count))
    if correlated and not rule.every_look:
        at_once = together(estimates, level=level)
    if rule.tested:
        return alone, at_once
    untested = np.full(len(estimates.value), np.nan)
    return Together(reach=alone.reach, p=untested), Together(reach=at_once.reach, p=untested)


def _at_every_look(estimates: Estimates, *, seeds: int, level: float) -> Together:
    error, df = estimates.error, estimates.df
    times: FloatArray = np.array([reach(df=float(one), seeds=seeds, level=level) for one in df])
    times[np.isinf(times)] = np.nan  # too few seeds for any bound
    p = [
        p_value(float(t), df=float(one), seeds=seeds) if np.isfinite(t) else np.nan
        for t, one in zip(estimates.t, df, strict=True)
    ]
    return Together(reach=times * error, p=np.array(p))
