"""Compares dimensions at equal size and by their slopes: planned contrasts, tested together.

Input: the points of a run along axes (`analysis.questions.series`). Output: a table of the
planned contrasts (`search.design.contrasts`), estimated by the network + seed model, and which
networks and trials are missing from it. `analysis.questions.equal_size_words` puts it in words.
"""

from collections.abc import Collection, Sequence
from typing import Any

import pandas as pd

from analysis.questions.stopping import FIXED, Rule, bounded
from analysis.runs.run import FAILURES, Run
from analysis.statistics.by_seed import estimate_by_seed
from analysis.statistics.mixed import Estimates, Model, estimable, estimate, fit
from analysis.statistics.simultaneous import Together
from analysis.statistics.spreads import UNEQUAL
from search.design.contrasts import (
    DIMENSIONS,
    SIZES,
    Contrast,
    Member,
    along_axes,
    why_not_equal_size,
)
from search.schema.analysis import Analysis

_DESCRIBED = ("kind", "of", "against", "label", "size")
_BOUNDED = ("difference", "low", "high", "p", "low_all", "high_all", "p_all")
PLAIN = Analysis()  # used if the space file does not define an analysis
COLUMNS = (*_DESCRIBED, "networks", "seeds", "most_seeds", *_BOUNDED)


def comparisons(
    points: pd.DataFrame,
    *,
    analysis: Analysis = PLAIN,
    rule: Rule = FIXED,
    level: float = 0.95,
    fixed: Collection[str] = (),
) -> pd.DataFrame:
    """Estimate the planned contrasts of a run along axes.

    They are: one dimension (`analysis: {of: ...}`, else scale) against each other one at equal
    parameters and at equal multiply-adds; the slope of each, in points per doubling of
    multiply-adds; every two networks, where only one dimension varies (if there are more than
    11 networks, all against the base); and the contrasts that the space file names. All are
    sums of network means whose weights add up to 0, estimated from all existing trials, so that
    a failed seed loses only its own trial.

    Args:
        points: from `analysis.questions.series.points`.
        analysis: the analysis that the study plans: `run.plan.analysis`.
        rule: how it may be tested, from `analysis.questions.stopping.rule_of`.
        level: confidence level of the intervals.
        fixed: networks whose score is known without noise, such as a change of 0 where both
            studies have the same trials. Contrasts of these alone are left out, and the noise
            of the others is that of their sums over seeds.

    Returns:
        COLUMNS, one row per contrast: `kind` ("group", "network", "slope", "pair" or "own"),
        `networks` (how many of `of` are in it), `seeds` (the smallest number that one of its
        networks has) and `most_seeds` (the largest); the `difference` of scores; `low`, `high`
        and `p` of this contrast alone; `low_all`, `high_all` and `p_all` simultaneous with all
        others of its family (single networks are one family, all the rest the other). NaN where
        the data cannot give them. `attrs`:
        `left_out` (the reason for each series that cannot be compared at equal size, by (size,
        series)), `untold` (the reason for each contrast that the trials cannot give), `rule`,
        `df` of the noise and `pooled` (whether all networks share one spread; None if the noise
        is that of sums over seeds).
    """
    members = members_of(points)
    planned = _planned(points, members, analysis, fixed)
    model = fitted(points, doubt=UNEQUAL if rule.every_look else None)
    why = {i: estimable(model, one.weights) for i, one in enumerate(planned)}
    told = [one for i, one in enumerate(planned) if not why[i]]
    rows: list[dict[str, Any]] = []
    for single in (False, True):
        family = [one for one in told if (one.kind == "network") == single]
        if family:
            found = _estimated(model, family, points, fixed)
            bounds = bounded(found, rule, seeds=model.seeds, level=level, correlated=not fixed)
            rows += _rows(family, found, bounds, points)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame = frame.astype(dict.fromkeys(_BOUNDED, float))
    frame.attrs |= {
        "left_out": _left_out(points, members, of=analysis.of),
        "rule": rule,
        "pooled": None if fixed else model.pooled,
        "df": model.df,
        "untold": {_named(planned[i]): reason for i, reason in why.items() if reason},
    }
    return frame


def _planned(
    points: pd.DataFrame,
    members: Sequence[Member],
    analysis: Analysis,
    fixed: Collection[str],
) -> list[Contrast]:
    """All planned contrasts: those along axes, and those that the space file names.

    Without those of fixed networks alone.
    """
    planned = along_axes(members, of=analysis.of)
    if len(points.attrs.get("varied", ())) > 1 and len({one.series for one in members}) <= 2:
        # Only one of several series is left; pairs of its networks were not planned.
        planned = [one for one in planned if one.kind != "pair"]
    planned += [
        Contrast(kind="own", label=name, weights=weights, of=name)
        for name, weights in analysis.contrasts.items()
    ]
    if not fixed:
        return planned
    return [
        one
        for one in planned
        if any(weight for name, weight in one.weights.items() if name not in fixed)
    ]


def members_of(points: pd.DataFrame) -> list[Member]:
    """The networks of the points, each once, for planning contrasts.

    Args:
        points: from `analysis.questions.series.points`.
    """
    networks = points.drop_duplicates("name")
    columns = ["name", "series", "label", "params", "macs"]
    return [Member(*row) for row in networks[columns].itertuples(index=False, name=None)]


def fitted(points: pd.DataFrame, *, doubt: float | None = None) -> Model:
    """Fit the network + seed model to points.

    Args:
        points: from `analysis.questions.series.points`.
        doubt: as in `analysis.statistics.mixed.fit`. Bounds that are valid at every look assume
            equal spreads, so there clearer evidence against this is required.
    """
    columns = (points[key].tolist() for key in ("name", "repeat", "score"))
    return fit(*columns, doubt=doubt)


def missing(run: Run, points: pd.DataFrame) -> list[str]:
    """State in words which networks and trials failed and are missing in the comparisons.

    Args:
        run: the run of the points.
        points: from `analysis.questions.series.points`.
    """
    search = run.counted[run.counted["phase"] == "search"]
    failed = search[search["status"].isin(FAILURES)]
    lost = [name for name in dict.fromkeys(failed["name"]) if name not in {*points["name"]}]
    counts = failed.loc[failed["name"].isin({*points["name"]}), "name"].value_counts()
    said = []
    if lost:
        said.append(
            f"Not in any comparison: {_listed(lost)}, of which every trial that ended failed."
        )
    if len(counts):
        named = [f"{name} ({count})" for name, count in counts.sort_index().items()]
        said.append(
            f"Trials that failed: {_listed(named)}. The other seeds of these networks are "
            "compared; the model of networks and seeds allows for those that they lack, if "
            "what failed does not depend on the score."
        )
    return said


def _estimated(
    model: Model, family: Sequence[Contrast], points: pd.DataFrame, fixed: Collection[str]
) -> Estimates:
    if not fixed:
        return estimate(model, [one.weights for one in family])
    names, seeds, scores = (points[key].tolist() for key in ("name", "repeat", "score"))
    return estimate_by_seed(names, seeds, scores, [one.weights for one in family])


def _rows(
    family: Sequence[Contrast],
    found: Estimates,
    bounds: tuple[Together, Together],
    points: pd.DataFrame,
) -> list[dict[str, Any]]:
    alone, at_once = bounds
    counts = points["name"].value_counts()
    seeds = [counts[[name for name, weight in o.weights.items() if weight]] for o in family]
    return [
        {
            **{key: getattr(one, key) for key in _DESCRIBED},
            "networks": _networks(one, points),
            "seeds": int(seeds[i].min()),
            "most_seeds": int(seeds[i].max()),
            "difference": found.value[i],
            "low": found.value[i] - alone.reach[i],
            "high": found.value[i] + alone.reach[i],
            "p": alone.p[i],
            "low_all": found.value[i] - at_once.reach[i],
            "high_all": found.value[i] + at_once.reach[i],
            "p_all": at_once.p[i],
        }
        for i, one in enumerate(family)
    ]


def _named(contrast: Contrast) -> str:
    """Describe a contrast in words, to explain why it is missing."""
    if contrast.kind == "own":
        return contrast.label
    against = f" minus {contrast.against}" if contrast.against else ""
    if contrast.kind == "pair":
        return contrast.label
    size = f" at equal {contrast.size}" if contrast.size else ""
    return f"{contrast.of}{against}, {contrast.label}{size}"


def _networks(contrast: Contrast, points: pd.DataFrame) -> int:
    """Number of networks of the contrast's series; of an own contrast, all that it names."""
    used = [name for name, weight in contrast.weights.items() if weight]
    mine = points.loc[points["series"] == contrast.of, "name"]
    return len({*used} & {*mine}) if contrast.of in DIMENSIONS else len(used)


def _left_out(
    points: pd.DataFrame, members: Sequence[Member], *, of: str
) -> dict[tuple[str, str], str]:
    """Why series could not be compared, by the size held equal and the series."""
    present = {*points["series"]}
    reasons = {
        (size, against): why_not_equal_size(members, of, against, size=size)
        for size in SIZES
        for against in DIMENSIONS
        if against != of and against in present
    }
    return {key: why for key, why in reasons.items() if why}


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
