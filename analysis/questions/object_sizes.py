"""Estimates a dimension's gain for small, medium and large objects at equal multiply-adds.

Input: a run whose task reports a score for objects of each size (`ap_small`, `ap_medium`,
`ap_large`) on test images. Output: for each value of the dimension, the difference from its
smallest value, by object size, over pairs of networks that differ only in it and have the same
cost; and whether the difference grows from small to large objects (Table 6 of the paper).

The differences for a size are estimated by the network + seed model of its scores. The growth
is estimated by the model of each trial's score for large objects minus its score for small
ones, so that what the two have in common in a trial cancels. All intervals are simultaneous:
within one model by the largest |t|, across models by Bonferroni.
"""

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from analysis.questions.remedies import for_more_seeds
from analysis.questions.stopping import Rule, bounded, rule_of
from analysis.runs.networks import present
from analysis.runs.run import Run, RunError
from analysis.runs.scores import Score, score_of
from analysis.statistics.mixed import estimable, estimate, fit
from search.design.contrasts import ALIKE, DIMENSIONS, Contrast
from search.schema.metrics import TEST, Metric, Objective

SIZES = ("small", "medium", "large")
GROWTH = "large minus small"
COLUMNS = ("size", "value", "against", "pairs", "seeds", "before", "difference", "low", "high",
           "low_all", "high_all", "p_all")  # fmt: skip


class Sized(NamedTuple):
    """The gains by object size.

    Attributes:
        dimension: name of the dimension, such as scale.
        score: how the score by object size is shown.
        table: COLUMNS, one row for each size and value, and for the growth of each value:
            `against` is the smallest value, `pairs` the number of pairs of networks with equal
            multiply-adds, `seeds` the smallest number that one of these networks has, `before`
            the mean score of those with the smallest value, `difference` the gain of the value,
            with its single and its simultaneous interval.
        models: number of models whose intervals are simultaneous.
        rule: the rule by which it may be tested.
    """

    dimension: str
    score: Score
    table: pd.DataFrame
    models: int
    rule: Rule


def sizes_of(run: Run) -> dict[str, Objective]:
    """The test scores by object size of a task, by size.

    Args:
        run: the run with the task; if the task has several such scores, the first is used.

    Returns:
        Scores for small, medium and large; empty where the task has none.
    """
    metrics = {one.name: one for one in run.metrics}
    for name in metrics:
        mine = {size: metrics.get(f"{name}_{size}") for size in SIZES}
        known = {size: _tested(metric) for size, metric in mine.items() if metric}
        if len(known) == len(SIZES):
            return known
    return {}


def _tested(metric: Metric) -> Objective:
    name, direction, unit, complement = metric
    return Objective(f"{TEST}{name}", direction, "reported", unit, complement)


def by_object_size(run: Run, *, level: float = 0.95) -> Sized:
    """Estimate what the values of a dimension gain for objects of each size.

    The dimension is that of `analysis: {of: ...}` (default: scale), if networks of equal
    multiply-adds differ only in it; otherwise the first dimension for which this is true.

    Args:
        run: finished or not.
        level: confidence level of the intervals.

    Raises:
        RunError: the task has no scores by size, no two networks differ in only one dimension
            at equal multiply-adds, the images have objects of only one size, or there is only
            one seed.
    """
    known = sizes_of(run)
    if not known:
        raise RunError(f"{run.folder}: its task reports no score by the size of objects")
    whole = run.whole()
    scores = {s: one for s, one in known.items() if whole[one.column].notna().any()}
    if len(scores) < 2:
        raise RunError(
            f"{run.folder}: no trial was trained to its end, or its test images have objects "
            "of one size alone; take images with objects of several"
        )
    for dimension in dict.fromkeys((run.plan.analysis.of, *DIMENSIONS)):
        planned = _planned(whole, dimension)
        if planned:
            return _compared(run, dimension, planned, scores, level=level)
    raise RunError(
        f"{run.folder}: no two networks with the same multiply-adds (within "
        f"{ALIKE - 1:.0%}) differ in one dimension alone; write network: {{width: fill}} and a "
        "narrow budget, such as budget: {macs: {max: 4.0G, min: 3.9G}}"
    )


def _planned(whole: pd.DataFrame, dimension: str) -> list[tuple[Contrast, int]]:
    """Contrasts of each value with the smallest one, over pairs of equal multiply-adds."""
    networks = whole.drop_duplicates("name")
    held = [key for key in present(networks) if key not in (dimension, "width")]
    values = sorted({*networks[dimension].astype(str)}, key=_order)
    found = []
    for value in values[1:]:
        matched = list(_pairs(networks, held, dimension, value, values[0]))
        weights: dict[str, float] = {}
        for one, other in matched:
            weights[one] = weights.get(one, 0.0) + 1 / len(matched)
            weights[other] = weights.get(other, 0.0) - 1 / len(matched)
        if matched:
            contrast = Contrast(
                kind="group", label=value, weights=weights, of=value, against=values[0],
                size="macs",
            )  # fmt: skip
            found.append((contrast, len(matched)))
    return found


def _pairs(
    networks: pd.DataFrame, held: list[str], dimension: str, value: str, least: str
) -> Iterator[tuple[str, str]]:
    """Pairs of networks with the two values that are equal in all else and in multiply-adds."""
    if dimension == "width":  # width itself is adjusted to make multiply-adds equal
        return
    alike = networks[held].astype(str).agg("/".join, axis=1)
    every = networks[["name", "macs"]].assign(alike=alike, at=networks[dimension].astype(str))
    sides = (every[every["at"] == value], every[every["at"] == least])
    both = sides[0].merge(sides[1], on="alike")
    both = both[(both["macs_x"] / both["macs_y"]).between(1 / ALIKE, ALIKE)]
    yield from zip(both["name_x"], both["name_y"], strict=True)


def _order(value: str) -> tuple[float, str]:
    """Sort key for values such as 4, 1.2.4 (one per stage), and words."""
    parts = value.split(".")
    if not all(part.isdigit() for part in parts):
        return float("inf"), value
    return sum(map(int, parts)) / len(parts), value


def _compared(
    run: Run,
    dimension: str,
    planned: list[tuple[Contrast, int]],
    scores: dict[str, Objective],
    *,
    level: float,
) -> Sized:
    whole, rule = run.whole(), rule_of(run)
    shown = {size: score_of(one).of(whole[one.column]) for size, one in scores.items()}
    if {"small", "large"} <= shown.keys():
        shown[GROWTH] = shown["large"] - shown["small"]
    score = score_of(next(iter(scores.values())))
    better = 1 if score.more_is_better else -1
    frames = []
    for size, values in shown.items():
        trials = whole[["name", "repeat"]].assign(score=better * values)
        narrower = 1 - (1 - level) / len(shown)
        frames.append(_of_size(trials.dropna(), planned, rule, level=(level, narrower)))
        frames[-1].insert(0, "size", size)
        frames[-1]["before"] *= better
        frames[-1]["p_all"] = (frames[-1]["p_all"] * len(shown)).clip(upper=1.0)
    table = pd.concat(frames, ignore_index=True)[list(COLUMNS)]
    if table["low"].isna().all():
        raise RunError(
            f"{run.folder}: no two networks have two seeds in common that differ, so chance is "
            f"not known; {for_more_seeds(run)}"
        )
    return Sized(dimension, _unsized(score), table, len(shown), rule)


def _of_size(
    trials: pd.DataFrame,
    planned: list[tuple[Contrast, int]],
    rule: Rule,
    *,
    level: tuple[float, float],
) -> pd.DataFrame:
    """The rows of one size: single intervals at the first level, simultaneous at the second."""
    model = fit(*(trials[key].tolist() for key in ("name", "repeat", "score")))
    family = [pair for pair in planned if not estimable(model, pair[0].weights)]
    if not family:
        return pd.DataFrame(columns=list(COLUMNS[1:]), dtype=float)
    found = estimate(model, [one.weights for one, _ in family])
    alone, _ = bounded(found, rule, seeds=model.seeds, level=level[0])
    _, at_once = bounded(found, rule, seeds=model.seeds, level=level[1])
    means = dict(zip(model.networks, model.means, strict=True))
    seeds = trials["name"].value_counts()
    rows = [
        {
            "value": one.of,
            "against": one.against,
            "pairs": pairs,
            "seeds": int(seeds[list(one.weights)].min()),
            "before": -sum(means[name] * w for name, w in one.weights.items() if w < 0),
        }
        for one, pairs in family
    ]
    columns = ["value", "against", "pairs", "seeds", "before"]
    return pd.DataFrame(rows, columns=columns).assign(
        difference=found.value,
        low=found.value - alone.reach,
        high=found.value + alone.reach,
        low_all=found.value - at_once.reach,
        high_all=found.value + at_once.reach,
        p_all=at_once.p,
    )


def _unsized(score: Score) -> Score:
    """Remove the size, which is the last word, from the score's name."""
    return score._replace(name=score.name.rpartition(" ")[0])
