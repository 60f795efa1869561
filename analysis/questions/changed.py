"""Asks whether what a dimension buys changes from one study along axes to another.

Go in: two runs of the same networks, say of larger images, of longer training, or at another
learning rate. Comes out: the difference of their differences. Every trial of the first has a
partner in the second, the same network in the same seed; what a partner has more is what the
planned contrasts (`analysis.questions.equal_size`) are taken of.
"""

from typing import NamedTuple

import pandas as pd

from analysis.questions import series
from analysis.questions.equal_size import comparisons
from analysis.questions.shared import shared
from analysis.questions.stopping import Rule, rule_of
from analysis.runs.run import Run, RunError
from analysis.runs.scores import Score

_KEYS = ["name", "repeat"]


class Changed(NamedTuple):
    """What the second study has more than the first.

    Attributes:
        compared: as `analysis.questions.equal_size.comparisons`, of changes.
        score: whose changes they are, and how those are called.
        same_seeds: whether partners have the same seed: chance of a seed then cancels.
        alone: whole trials of either run, of networks that both have, without a partner.
    """

    compared: pd.DataFrame
    score: Score
    same_seeds: bool
    alone: int


def changed(first: Run, second: Run, *, level: float = 0.95) -> Changed:
    """What scale, or whatever the first study is about, buys in the second less in the first.

    Args:
        first: a run along axes, from which is counted; contrasts are planned of its networks
            and their costs in it.
        second: another, of the same data set and metric.
        level: of the intervals.

    Raises:
        RunError: they have no networks, seeds, data set or metric in common, or hold the very
            same trials, which change by nothing.
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
    pairs.attrs |= one.attrs
    score = first.score._replace(name=f"change of {first.score.name}")
    rule = _rule(first, second)
    return Changed(
        comparisons(pairs, analysis=first.plan.analysis, rule=rule, level=level),
        score,
        same_seeds=bool((pairs["seed"] == pairs["seed_second"]).all()),
        alone=len(one) + len(other) - 2 * len(pairs),
    )


def _checked(first: Run, second: Run) -> None:
    where = f"{first.folder} and {second.folder}"
    if first.plan.data.name != second.plan.data.name:
        raise RunError(f"{where}: saw other data sets; name runs of the same")
    if first.tested != second.tested:
        raise RunError(f"{where}: were scored by other metrics; name runs of the same")
    count = len(shared(first, second))
    if count:
        raise RunError(
            f"{where}: {count:,} trials of both are the same, and change by nothing; name "
            "runs of other settings"
        )


def _rule(first: Run, second: Run) -> Rule:
    """The stricter one: not tested, else valid at every look, else as planned."""
    rules = rule_of(first), rule_of(second)
    return min(rules, key=lambda rule: (rule.tested, not rule.every_look))
