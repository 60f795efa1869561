"""Fits scaling laws per dimension, exchange rates and a compound rule to a run along axes.

Input: a run and its points (`analysis.questions.series`). Output: the results of
`analysis.scaling` for them, or a statement of why there are none.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from analysis.questions.series import base
from analysis.questions.slopes import Slope, slopes
from analysis.runs.run import Run
from analysis.runs.scores import is_percent_error, words
from analysis.scaling.compound import fitted_curves, rule_within
from analysis.scaling.exchange import paired, rate
from analysis.scaling.forms import power, saturating
from analysis.scaling.judging import Judgement, choose
from analysis.scaling.law import Law, bootstrap, fit
from analysis.scaling.points import Refusal
from res2net import Architecture, ArchitectureError, cost
from search.design.contrasts import BASE, DIMENSIONS
from search.schema.network import FIXED

_RESAMPLES = 500
_SURE = 0.975  # share of resamples in which error must fall with size
_FLAT = 1e-6


class Fitted(NamedTuple):
    """The law along a dimension, and how well its form predicted those held out."""

    law: Law
    judgement: Judgement


def along(points: pd.DataFrame, dimension: str, *, size: str = "macs") -> pd.DataFrame:
    """The trials of one dimension and of the base, in the format of `analysis.scaling.points`.

    Networks with a failed trial are left out, because their remaining seeds are the better
    ones.

    Args:
        points: from `analysis.questions.series.points`, of an error in percent.
        dimension: a series of the points.
        size: "macs" or "params".
    """
    of_it = points["series"].isin([dimension, BASE]) & points["multiplier"].notna()
    members = points[of_it & (points["failed"] == 0)]
    return members.assign(
        network=members["name"],
        seed=members["repeat"],
        size=members[size].astype(float),
        error=members["metric"],
    )


def laws(
    run: Run, points: pd.DataFrame, *, rng: np.random.Generator, size: str = "macs"
) -> tuple[dict[str, Fitted], list[str]]:
    """Fit error against size along each dimension; the form is chosen on the largest networks.

    Args:
        run: provides the metric and the error of random guessing.
        points: from `analysis.questions.series.points`.
        rng: draws the resamples.
        size: "macs" or "params".

    Returns:
        The dimensions that support a law: error falls with size in nearly all resamples, and
        the law predicts the held-out networks better than a constant. And a sentence with the
        reason for each of the others. There are no laws where the ranking metric is not an
        error in percent.
    """
    fitted: dict[str, Fitted] = {}
    if not is_percent_error(run.ranking):
        said = (
            f"no law: {words(run.ranking)} is no error in percent, which falls towards a floor "
            "as networks grow; rank by an error (search.objectives) to fit laws"
        )
        return fitted, [said]
    doubts, straight = [], slopes(run, points)
    for dimension in _present(points):
        frame = along(points, dimension, size=size)
        try:
            judgement = choose(frame, [power(), saturating(chance=run.chance)])
            law = fit(frame, form=judgement.best)
            law = bootstrap(law, frame, rng=rng, resamples=_RESAMPLES)
        except Refusal as refusal:
            doubts.append(f"{dimension}: no law: {refusal}")
            continue
        line = straight.get(dimension)
        doubt = _doubt(law, judgement, line)
        if doubt:
            slope = f"; its slope is {line.text()}" if line else ""
            doubts.append(f"{dimension}: no law: {doubt}{slope}")
        else:
            fitted[dimension] = Fitted(law, judgement)
    return fitted, doubts


def left_out(points: pd.DataFrame) -> list[str]:
    """Names of networks that are excluded from all laws because trials of them failed.

    Args:
        points: from `analysis.questions.series.points`.
    """
    return sorted({*points.loc[points["failed"] > 0, "name"]})


def _doubt(law: Law, judgement: Judgement, slope: Slope | None) -> str:
    """Why a fitted curve should not be trusted; empty if it can be."""
    ends = np.array([law.smallest, law.largest])
    assert law.draws is not None, "bootstrapped"
    first, last = law.errors(ends, theta=law.draws).T
    falling = float((last < first * (1 - _FLAT)).mean())
    if falling < _SURE:
        if slope and slope.low > 0:
            return "error rises as networks grow"
        if slope and slope.high < 0:
            return (
                "error falls as networks grow, but they scatter too much around any curve: "
                f"redrawn, it falls in {falling:.0%} of draws"
            )
        return "the data do not show that error falls as networks grow"
    if not judgement.beats_baseline:
        missed = judgement.rmse[law.form.name]
        return (
            "a constant foretells the held-out networks better (off by "
            f"{judgement.baseline:.1%}) than a {law.form.name} law ({missed:.1%})"
        )
    return ""


def table(fitted: dict[str, Fitted]) -> pd.DataFrame:
    """The laws as a table.

    Returns:
        One row for each parameter of each law: `dimension`, `form`, `parameter`, `value`,
        `low`, `high` (95 %, over resamples), `missed` and `missed_by_constant`: the relative
        errors on the networks that were held out, the largest.
    """
    rows = [
        {
            "dimension": dimension,
            "form": one.law.form.name,
            "parameter": parameter,
            "value": value,
            "low": one.law.intervals()[parameter][0],
            "high": one.law.intervals()[parameter][1],
            "missed": one.judgement.rmse[one.law.form.name],
            "missed_by_constant": one.judgement.baseline,
        }
        for dimension, one in fitted.items()
        for parameter, value in one.law.parameters.items()
    ]
    return pd.DataFrame(rows)


def exchange_rates(
    points: pd.DataFrame,
    fitted: Mapping[str, Fitted],
    *,
    rng: np.random.Generator,
    of: str = "scale",
    multipliers: tuple[float, ...] = (2, 4, 6),
) -> Iterator[str]:
    """State what multiplying a dimension is worth in multiply-adds of each other dimension.

    Each curve has the form that was chosen for its dimension.

    Args:
        points: from `analysis.questions.series.points`.
        fitted: from `laws`; there are rates only between dimensions with a law.
        rng: draws the resamples.
        of: the dimension that is multiplied.
        multipliers: its multipliers; for those that were not trained, a refusal is stated.
    """
    for other in (name for name in _present(points) if name != of):
        without = [name for name in (of, other) if name not in fitted]
        if without:
            yield f"{of} against {other}: no rate: no law along {' and '.join(without)}"
            continue
        curves = (fitted[of].law, fitted[other].law)
        sides = along(points, of), along(points, other)
        try:
            pair = paired(*sides, curves, rng=rng, resamples=_RESAMPLES)
        except Refusal as refusal:
            yield f"{of} against {other}: no rate: {refusal}"
            continue
        for multiplier in multipliers:
            try:
                yield rate(pair, multiplier).sentence(of, other)
            except Refusal as refusal:
                yield f"x{multiplier:g} in {of} against {other}: no rate: {refusal}"


def rules(
    run: Run,
    points: pd.DataFrame,
    fitted: Mapping[str, Fitted],
    *,
    rng: np.random.Generator,
    ratios: tuple[float, ...] = (2.0, 4.0),
) -> Iterator[str]:
    """State how to spend more multiply-adds over all dimensions together.

    This is a hypothesis: gains are assumed to add up in the logarithm of error, and no network
    with two changed dimensions was trained.

    Args:
        run: provides the base.
        points: from `analysis.questions.series.points`.
        fitted: from `laws`; a dimension without a law stays unchanged.
        rng: draws the resamples.
        ratios: budgets as multiples of the base's multiply-adds.
    """
    why = _why_no_rule(base(run)) or ("" if fitted else "no dimension carries a law")
    if why:
        yield f"no rule: {why}"
        return
    curves = {name: along(points, name) for name in fitted}
    forms = {name: one.law.form for name, one in fitted.items()}
    cost_of = _cost_of(run)
    try:
        fits = fitted_curves(curves, rng=rng, resamples=_RESAMPLES, forms=forms)
    except Refusal as refusal:
        yield f"no rule: {refusal}"
        return
    for ratio in ratios:
        try:
            rule = rule_within(fits, cost_of, budget_ratio=ratio)
        except Refusal as refusal:
            yield f"x{ratio:g} multiply-adds: no rule: {refusal}"
            continue
        chosen = ", ".join(
            f"{name} x{value:g} [{rule.intervals[name][0]:g}, {rule.intervals[name][1]:g}]"
            for name, value in rule.multipliers.items()
        )
        yield (
            f"x{ratio:g} multiply-adds: {chosen}; costs x{rule.cost:.2f}, error foretold "
            f"{rule.error:.2f} % [{rule.low:.2f}, {rule.high:.2f}], if gains add up"
        )


def _why_no_rule(origin: Mapping[str, Any]) -> str:
    """Why the base cannot be multiplied in each dimension; empty if it can."""
    for name in ("depth", "width", "scale", "cardinality"):
        if name not in origin:
            return f"{name} is solved for the budget"
        if name != "depth" and not isinstance(origin[name], int):
            return f"the {name} of its base differs by stage"
    return ""


def _present(points: pd.DataFrame) -> list[str]:
    return [name for name in DIMENSIONS if name in set(points["series"])]


def _cost_of(run: Run) -> Callable[[dict[str, float]], float]:
    """Ratio of multiply-adds to the base's by multipliers, exact; infinite if impossible."""
    network, data = run.plan.network, run.plan.data
    origin: dict[str, Any] = base(run)
    skeleton = origin["skeleton"]
    fixed: dict[str, Any] = {
        key: getattr(network, key) for key in FIXED if getattr(network, key) is not None
    } | {"se": origin["se"], "planes": run.plan.search.base.planes or network.planes[0]}
    fixed |= {"classes": data.classes, "channels": data.channels}
    blocks = Architecture(skeleton=skeleton, depth=run.plan.search.base.depth).blocks

    def macs(multipliers: dict[str, float]) -> float:
        dims = {
            key: origin[key] * multipliers.get(key, 1.0)
            for key in ("width", "scale", "cardinality")
        }
        deep = [count * multipliers.get("depth", 1.0) for count in blocks]
        if any(value % 1 for value in (*dims.values(), *deep)):
            return math.inf
        try:
            network = Architecture(
                skeleton=skeleton,
                depth=tuple(int(count) for count in deep),
                **fixed | {key: int(value) for key, value in dims.items()},
            )
        except ArchitectureError:
            return math.inf
        return float(cost(network, image_size=data.resolution).macs)

    whole = macs({})
    return lambda multipliers: macs(multipliers) / whole
