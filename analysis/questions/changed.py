"""Tests whether the gain from a dimension changes from one study along axes to another.

Input: two runs of the same networks, for example with larger images, longer training, or
another learning rate. Output: the difference of their differences. Every trial of the first run
has a partner in the second: the same network with the same seed. The planned contrasts
(`analysis.questions.equal_size`) are computed from the partners' score differences.
"""

from typing import NamedTuple

import pandas as pd

from analysis.questions import series
from analysis.questions.equal_size import comparisons
from analysis.questions.shared import shared
from analysis.questions.stopping import Rule, rule_of
from analysis.runs.run import Run, RunError
from analysis.runs.scores import Score
from search.schema.wording import how_many

_KEYS = ["name", "repeat"]


class Changed(NamedTuple):
    """How much the second study's scores exceed the first's.

    Attributes:
        compared: as `analysis.questions.equal_size.comparisons`, but for changes.
        score: the score that changes, with a name for the change.
        same_seeds: whether partners have the same seed, so that the seed's effect cancels.
        alone: number of complete trials without a partner, of networks that both runs have.
        fixed: names of networks of which both have the same trials: they do not change.
    """

    compared: pd.DataFrame
    score: Score
    same_seeds: bool
    alone: int
    fixed: tuple[str, ...] = ()


def changed(first: Run, second: Run, *, level: float = 0.95) -> Changed:
    """The gain from scale, or what the first study is about, in the second minus the first.

    Args:
        first: a run along axes; the baseline. Contrasts are planned from its networks and their
            costs in it.
        second: another run with the same data set and metric.
        level: confidence level of the intervals.

    Raises:
        RunError: they have no networks, seeds, data set or metric in common, or contain the
            very same trials, which cannot change.
    """
    _checked(first, second)
    one, other = series.points(first), series.points(second)
    both = {*one["name"]} & {*other["name"]}
    one, other = (points[points["name"].isin(both)] for points in (one, other))
    pairs = one.merge(other[[*_KEYS, "seed", "score"]], on=_KEYS, suffixes=("", "_second"))
    if pairs.empty:
        raise RunError(
            f"{first.folder} and {second.folder}: have no network and seed in common; name "
            "runs of the same networks"
        )
    pairs["score"] = pairs["score_second"] - pairs["score"]
    there = {*shared(first, second, any_recipe=True)["name"]}
    fixed = [name for name in dict.fromkeys(pairs["name"]) if name in there]
    pairs.loc[pairs["name"].isin(fixed), "score"] = 0.0  # their settings are the same
    if len(fixed) == pairs["name"].nunique():
        raise RunError(
            f"{first.folder} and {second.folder}: both have the same trials of every network "
            "that they share, so nothing changed; name runs with other settings"
        )
    pairs.attrs |= one.attrs
    score = first.score._replace(name=f"change of {first.score.name}")
    rule = _rule(first, second)
    return Changed(
        comparisons(pairs, analysis=first.plan.analysis, rule=rule, level=level, fixed=fixed),
        score,
        same_seeds=bool((pairs["seed"] == pairs["seed_second"]).all()),
        alone=len(one) + len(other) - 2 * len(pairs),
        fixed=tuple(fixed),
    )


def _checked(first: Run, second: Run) -> None:
    where = f"{first.folder} and {second.folder}"
    if first.plan.data.name != second.plan.data.name:
        raise RunError(f"{where}: saw different data sets; name runs of the same one")
    if first.tested != second.tested:
        raise RunError(f"{where}: were scored by different metrics; name runs with the same")
    count = len(shared(first, second))
    if count and first.recipe == second.recipe:
        raise RunError(
            f"{where}: {how_many(count, 'trial')} of both {'is' if count == 1 else 'are'} the "
            "same, so nothing changed; name runs with other settings"
        )


def _rule(first: Run, second: Run) -> Rule:
    """The stricter rule: not tested, otherwise valid at every look, otherwise as planned."""
    rules = rule_of(first), rule_of(second)
    return min(rules, key=lambda rule: (rule.tested, not rule.every_look))
