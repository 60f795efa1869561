"""Compares all pairs of networks of a small study, such as values of one dimension.

Input: a run of a few networks that share seeds. Output: the difference of every pair, with
simultaneous intervals, and which pairs are of equal size. For a study of one dimension this is
the question itself; values per stage, such as scale 1.2.4.8, are values like any other.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.questions.remedies import for_more_seeds
from analysis.questions.series import is_along_axes
from analysis.questions.stopping import bounded, rule_of
from analysis.runs.networks import present
from analysis.runs.run import Run, RunError
from analysis.runs.scores import form_of
from analysis.runs.wording import p_words
from analysis.statistics.intervals import SHARED
from analysis.statistics.mixed import Model, estimable, estimate, fit
from search.design.contrasts import ALIKE, MOST, Contrast, pairs
from search.schema.wording import how_many, how_many_each

COLUMNS = ("a", "b", "a_label", "b_label", "macs_ratio", "seeds", "most_seeds", "difference",
           "low", "high", "low_all", "high_all", "p_all")  # fmt: skip


def pairs_compared(run: Run) -> pd.DataFrame:
    """Estimate the difference of every pair of networks of a run, on test images.

    Args:
        run: a run of 2 to 11 networks with two or more seeds.

    Returns:
        COLUMNS, one row per pair, the better network first (`a`): labels are the values of the
        dimensions that varied; `macs_ratio` is a divided by b; `seeds` is the smaller number
        that one of the two has, `most_seeds` the larger; the `difference` of scores has its
        single interval and one simultaneous with all others, at 97.5 %, because the
        report's other tests use the other half of 5 %.

    Raises:
        RunError: the run is along axes, there are too few or too many networks, only one seed,
            or no two networks share a seed.
    """
    if is_along_axes(run):
        raise RunError(
            f"{run.folder}: its networks lie along axes, where what is compared was planned; "
            "the conclusion has it"
        )
    whole = run.whole()
    whole = whole[whole[run.tested.column].notna()]
    labels = labelled(whole)
    if not 2 <= len(labels) <= MOST:
        were = "was" if len(labels) == 1 else "were"
        raise RunError(
            f"{run.folder}: {how_many(len(labels), 'network')} {were} trained whole, and two "
            f"by two are compared 2 to {MOST} of them"
        )
    score = run.score.of(whole[run.tested.column].astype(float))
    model = fit(whole["name"].tolist(), whole["repeat"].tolist(), score.tolist())
    if not model.df > 0:
        raise RunError(
            f"{run.folder}: no two networks have two seeds in common, so chance is not known; "
            f"{for_more_seeds(run)}"
        )
    if not model.sigma > 0:
        raise RunError(
            f"{run.folder}: its networks differ alike in every seed, so nothing is known of "
            "chance; look whether the seeds were different"
        )
    up = -1 if run.score.more_is_better else 1
    order = sorted(labels, key=lambda name: up * model.means[model.networks.index(name)])
    planned = [one for one in pairs(order) if not estimable(model, one.weights)]
    frame = _bounded(run, model, planned)
    frame = _described(frame, whole, labels)
    frame.attrs |= {
        "rule": rule_of(run),
        "pooled": model.pooled,
        "networks": len(labels),
        "form": form_of(run.tested, "+"),
        "unit": run.score.difference,
    }
    return frame


def _bounded(run: Run, model: Model, planned: Sequence[Contrast]) -> pd.DataFrame:
    """Estimate the difference of each pair, with its intervals and p."""
    found = estimate(model, [one.weights for one in planned])
    rule = rule_of(run)
    alone, at_once = bounded(found, rule, seeds=model.seeds, level=1 - SHARED)
    return pd.DataFrame(
        {
            "a": [one.of for one in planned],
            "b": [one.against for one in planned],
            "difference": found.value,
            "low": found.value - alone.reach,
            "high": found.value + alone.reach,
            "low_all": found.value - at_once.reach,
            "high_all": found.value + at_once.reach,
            "p_all": at_once.p,
        }
    )


def _described(
    frame: pd.DataFrame, whole: pd.DataFrame, labels: Mapping[str, str]
) -> pd.DataFrame:
    """Add to pairs the labels of their networks, the ratio of their sizes, and their seeds."""
    macs, seeds = whole.groupby("name")["macs"].first(), whole["name"].value_counts()
    a, b = frame["a"], frame["b"]
    described = frame.assign(
        a_label=a.map(labels),
        b_label=b.map(labels),
        macs_ratio=a.map(macs) / b.map(macs),
        seeds=np.minimum(a.map(seeds), b.map(seeds)),
        most_seeds=np.maximum(a.map(seeds), b.map(seeds)),
    )
    return described[list(COLUMNS)]


def labelled(whole: pd.DataFrame) -> dict[str, str]:
    """Labels that distinguish networks, by name: "scale 4", or all dimensions that vary.

    Where two would have the same label, such as depths of equally many layers, they are names.

    Args:
        whole: trials with `name` and the dimensions.
    """
    networks = whole.drop_duplicates("name").set_index("name")
    varied = [key for key in present(networks) if len({*networks[key].astype(str)}) > 1]
    labels = {
        str(name): ", ".join(f"{key} {row[key]}" for key in varied)
        for name, row in networks.iterrows()
    }
    distinct = len({*labels.values()}) == len(labels) and "" not in labels.values()
    return labels if distinct else {name: name for name in labels}


def told_apart(frame: pd.DataFrame) -> tuple[list[str], list[str]]:
    """State the result of the pairs in words, and which sentences claim a difference.

    Args:
        frame: from `pairs_compared`.
    """
    count, rule = len(frame), frame.attrs["rule"]
    pairs = f"{count} pairs held at once" if count > 1 else "1 pair"
    said = [rule.why] if rule.why else []
    if not rule.tested:
        return said, []
    clear = frame[frame["p_all"] < SHARED]
    if clear.empty:
        said.append(
            f"The data do not tell any two of the {frame.attrs['networks']} networks apart "
            f"({pairs})."
        )
        return said, []
    form, unit = frame.attrs["form"], frame.attrs["unit"]
    claims = [_sentence(row, form, unit) for row in clear.to_dict("records")]
    if count == 1:
        return [*said, *claims], claims
    differ = "differs" if len(clear) == 1 else "differ"
    start = f"Of {count} pairs, held at once, {len(clear)} {differ} more than chance allows."
    return [*said, start, *claims], [start, *claims]


def _sentence(row: dict[Any, Any], form: str, unit: str) -> str:
    alike = 1 / ALIKE <= row["macs_ratio"] <= ALIKE
    size = "at equal size" if alike else f"at {row['macs_ratio']:.2f} times the multiply-adds"
    seeds = how_many_each((row["seeds"], row["most_seeds"]), "seed")
    return (
        f"{row['a_label']} is better than {row['b_label']} {size}: {row['difference']:{form}} "
        f"{unit} ({row['low_all']:{form}} to {row['high_all']:{form}}, "
        f"{p_words(row['p_all'])}, {seeds})."
    )
