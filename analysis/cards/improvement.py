"""The card on how often a network of one run is better than one of another."""

import math
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.cards.card import Card, Column, Shown
from analysis.plots.improvement import draw_improvements, draw_profiles
from analysis.questions.compare import labels
from analysis.questions.improvement import SHARED, improvements, profiles
from analysis.runs.networks import left_out_words
from analysis.runs.run import Run, RunError
from analysis.runs.scores import form_of, titled, words

_NAME = "improvement"
_QUESTION = "How often is a network of one run better than one of another?"
_ALONE = 0.05  # error allowed for an interval
_COLUMNS = (
    Column("first", "a"),
    Column("second", "b"),
    Column("of", "kind"),
    Column("networks of the first", "n_a", ",.0f"),
    Column("networks of the second", "n_b", ",.0f"),
    Column("chance that the first is better", "chance", ".2f"),
    Column("95 % low", "low", ".2f"),
    Column("95 % high", "high", ".2f"),
    Column("not said, because", "refused"),
)


def improvement_card(runs: Sequence[Run]) -> Card:
    """Show the probability of improvement for each two runs, and performance profiles."""
    rng = np.random.default_rng(0)
    try:
        table = improvements(runs, rng=rng)
    except RunError as error:
        return Card(name=_NAME, question=_QUESTION, refused=str(error))
    if table["chance"].isna().all():
        why = "; ".join(dict.fromkeys(table["refused"]))
        return Card(name=_NAME, question=_QUESTION, refused=why)
    metric = words(runs[0].ranking)
    title = f"{', '.join(labels(runs))}: {metric}"
    said = tuple(_said(row) for row in table.to_dict("records"))
    empty = "" if table["refused"].astype(bool).any() else "refused"
    chances = Shown(
        name="improvement-chance",
        caption=f"The chance that a training of the first run has the better {metric} "
        "(Agarwal et al. 2021); ties count as half. It is for the same network in "
        "both runs, averaged over networks; or, where fewer than five networks are "
        "in both, for networks drawn at random from each. 95 % intervals by a "
        "bootstrap over networks, each alone, for these seeds: what a seed adds to all "
        "networks is not in them. It says how often one is better, not by how much",
        table=table,
        columns=tuple(column for column in _COLUMNS if column.key != empty),
        draw=lambda: draw_improvements(table, title=title),
        alt=f"Points with intervals. {' '.join(said)}",
    )
    curves = profiles(runs, rng=rng)
    shown = (chances,) if curves.empty else (chances, _profiles(runs, curves, title))
    return Card(
        name=_NAME, question=_QUESTION, sentences=(*said, *left_out_words(*runs)), shown=shown
    )


def _profiles(runs: Sequence[Run], curves: pd.DataFrame, title: str) -> Shown:
    ranking = runs[0].ranking
    return Shown(
        name="improvement-profiles",
        caption=f"Performance profiles: the share of trainings whose {words(ranking)} is as "
        f"good or better, over the {curves['networks'].iloc[0]:,} networks that all "
        "runs have, each with equal weight; 95 % bands contain a whole profile at "
        "once, by a bootstrap over networks, for these seeds",
        table=curves,
        columns=(
            Column("run", "label"),
            Column(titled(ranking), "value", form_of(ranking)),
            Column("share", "share", ".3f"),
            Column("95 % low", "low", ".3f"),
            Column("95 % high", "high", ".3f"),
        ),
        draw=lambda: draw_profiles(curves, ranking, title=title),
        alt=f"Rising lines, one per run: share of trainings as good as each {words(ranking)}.",
    )


def _said(row: dict[Hashable, Any]) -> str:
    pair = f"{row['a']} over {row['b']}"
    if row["refused"]:
        return f"{pair}: not said, because {row['refused']}."
    of = (
        f"of the same network, over {row['n_a']:,.0f} networks in both"
        if row["kind"] == SHARED
        else f"of random pairs of {row['n_a']:,.0f} and {row['n_b']:,.0f} networks"
    )
    if pd.isna(row["low"]):
        return f"{pair}: {_all_agree(row)}, {of}."
    ends = f"95 % interval {row['low']:.2f} to {row['high']:.2f}"
    return f"{pair}: the first is better with probability {row['chance']:.2f} ({ends}), {of}."


def _all_agree(row: dict[Hashable, Any]) -> str:
    """State what there is no interval for: all networks go the same way, or alike.

    If a share q of all networks goes this way, n of n do with probability q^n; so q is above
    0.05^(1/n), with 95 % confidence.
    """
    ways = {1.0: "the first is better", 0.0: "the second is better"}
    if row["chance"] not in ways:
        return (
            f"the first is better with probability {row['chance']:.2f} (no interval, because "
            "it is the same for each network)"
        )
    least = _ALONE ** (1 / min(row["n_a"], row["n_b"]))
    return (
        f"{ways[row['chance']]} in all pairs, and with 95 % confidence in more than "
        f"{math.floor(100 * least)}% of further ones"
    )
