"""Compares dimensions at equal size and by their slopes: what was planned, tested together.

Goes in: the points of a run along axes (`analysis.questions.series`). Comes out: a table of the
planned contrasts (`search.design.contrasts`), estimated by the network + seed model, which
networks and trials are missing in it. `analysis.questions.equal_size_words` says it in words.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from analysis.questions.stopping import FIXED, Rule, bounded
from analysis.runs.run import FAILURES, Run
from analysis.statistics.mixed import Model, estimable, estimate, fit
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
PLAIN = Analysis()  # what a study asks whose space file says nothing
COLUMNS = (*_DESCRIBED, "networks", "seeds", *_BOUNDED)


def comparisons(
    points: pd.DataFrame,
    *,
    analysis: Analysis = PLAIN,
    rule: Rule = FIXED,
    level: float = 0.95,
) -> pd.DataFrame:
    """The planned contrasts of a run along axes.

    A dimension (`analysis: {of: ...}`, else scale) against each other one at equal parameters
    and at equal multiply-adds; the slope of each, in points for a doubling of multiply-adds;
    every two networks, where one dimension alone varies (all against the base, if they are
    more than 11); and the contrasts that the space file names. All are sums of networks'
    means whose weights add up to 0, estimated from all trials there are: a failed seed costs
    itself and nothing else.

    Args:
        points: from `analysis.questions.series.points`.
        analysis: what the study asks: `run.plan.analysis`.
        rule: how it may be tested: from `analysis.questions.stopping.rule_of`.
        level: of the intervals.

    Returns:
        COLUMNS, a row a contrast: `kind` ("group", "network", "slope", "pair" or "own"), which
        `networks` (how many of `of` are in it) and `seeds` (the most that one has); the
        `difference` of scores; `low`, `high` and `p` of it alone; `low_all`, `high_all` and
        `p_all` held together with all others of its family: single networks are one, all the
        rest is the other. NaN where the data do not tell. `attrs`: `left_out` (for each series
        that cannot be compared at a size the reason, by (size, series)), `untold` (for each
        contrast that the trials do not tell the reason), `rule`, `df` of the noise and `pooled`
        (whether all networks share one spread).
    """
    members = members_of(points)
    planned = _planned(points, members, analysis)
    model = fitted(points, doubt=UNEQUAL if rule.every_look else None)
    why = {i: estimable(model, one.weights) for i, one in enumerate(planned)}
    rows: list[dict[str, Any]] = []
    for single in (False, True):
        family = [
            one
            for i, one in enumerate(planned)
            if (one.kind == "network") == single and not why[i]
        ]
        rows += _rows(model, family, rule, points, level=level)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame = frame.astype(dict.fromkeys(_BOUNDED, float))
    frame.attrs |= {
        "left_out": _left_out(points, members, of=analysis.of),
        "rule": rule,
        "pooled": model.pooled,
        "df": model.df,
        "untold": {_named(planned[i]): reason for i, reason in why.items() if reason},
    }
    return frame


def _planned(
    points: pd.DataFrame, members: Sequence[Member], analysis: Analysis
) -> list[Contrast]:
    """All that is compared: along axes, and what the space file names."""
    planned = along_axes(members, of=analysis.of)
    if len(points.attrs.get("varied", ())) > 1 and len({one.series for one in members}) <= 2:
        # Of several series one is left: its networks were not to be compared two by two.
        planned = [one for one in planned if one.kind != "pair"]
    return planned + [
        Contrast(kind="own", label=name, weights=weights, of=name)
        for name, weights in analysis.contrasts.items()
    ]


def members_of(points: pd.DataFrame) -> list[Member]:
    """The networks of points, each once, as contrasts are planned of them.

    Args:
        points: from `analysis.questions.series.points`.
    """
    networks = points.drop_duplicates("name")
    columns = ["name", "series", "label", "params", "macs"]
    return [Member(*row) for row in networks[columns].itertuples(index=False, name=None)]


def fitted(points: pd.DataFrame, *, doubt: float | None = None) -> Model:
    """The network + seed model of points.

    Args:
        points: from `analysis.questions.series.points`.
        doubt: as `analysis.statistics.mixed.fit`. Bounds that hold at every look take networks
            to spread alike, so there it takes clearer signs that they do not.
    """
    columns = (points[key].tolist() for key in ("name", "repeat", "score"))
    return fit(*columns, doubt=doubt)


def missing(run: Run, points: pd.DataFrame) -> list[str]:
    """What is not in the comparisons, in words: networks and trials that failed.

    Args:
        run: whose points they are.
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
            "compared; the model of networks and seeds allows for those that they lack."
        )
    return said


def _rows(
    model: Model, family: Sequence[Contrast], rule: Rule, points: pd.DataFrame, *, level: float
) -> list[dict[str, Any]]:
    if not family:
        return []
    found = estimate(model, [one.weights for one in family])
    alone, at_once = bounded(found, rule, seeds=model.seeds, level=level)
    seeds = points["name"].value_counts()
    return [
        {
            **{key: getattr(one, key) for key in _DESCRIBED},
            "networks": _networks(one, points),
            "seeds": int(seeds[[name for name, weight in one.weights.items() if weight]].max()),
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
    """A contrast in words, for who asks why it is not there."""
    if contrast.kind == "own":
        return contrast.label
    against = f" less {contrast.against}" if contrast.against else ""
    if contrast.kind == "pair":
        return contrast.label
    size = f" at equal {contrast.size}" if contrast.size else ""
    return f"{contrast.of}{against}, {contrast.label}{size}"


def _networks(contrast: Contrast, points: pd.DataFrame) -> int:
    """Networks of the series that a contrast is of; of its own one all that it names."""
    used = [name for name, weight in contrast.weights.items() if weight]
    mine = points.loc[points["series"] == contrast.of, "name"]
    return len({*used} & {*mine}) if contrast.of in DIMENSIONS else len(used)


def _left_out(
    points: pd.DataFrame, members: Sequence[Member], *, of: str
) -> dict[tuple[str, str], str]:
    """Why a series could not be compared, by what is held equal and series."""
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
