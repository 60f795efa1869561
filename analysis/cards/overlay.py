"""The card that overlays the score distributions of several runs."""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.cards.card import P_VALUE, Card, Column, Shown
from analysis.plots.overlay import draw_overlay
from analysis.questions.compare import labels
from analysis.questions.distribution import thinned
from analysis.questions.looks import why_untested
from analysis.questions.overlay import EQUAL, SAMPLED, curves, distances
from analysis.runs.networks import averaged, left_out_words
from analysis.runs.run import Run, RunError
from analysis.runs.scores import capital, form_of, titled, words
from analysis.runs.wording import p_words
from analysis.statistics.intervals import SIGNIFICANT

_NAME, _QUESTION = "overlay", "Which of these spaces holds the better networks as a whole?"
_TESTED = (
    Column("first", "a"),
    Column("second", "b"),
    Column("compared", "kind"),
    Column("networks of the first", "n_a", ",.0f"),
    Column("networks of the second", "n_b", ",.0f"),
    Column("largest distance", "distance", ".3f"),
    Column("by chance up to", "gap", ".3f"),
    Column("p", "p", P_VALUE),
    Column("p after Holm", "p_holm", P_VALUE),
    Column("no test, because", "refused"),
)


def overlay_card(runs: Sequence[Run]) -> Card:
    """Show score distributions of several runs, with tests of each two."""
    rng = np.random.default_rng(0)
    try:
        drawn, tested = curves(runs, rng=rng), distances(runs, rng=rng)
    except RunError as error:
        return Card(name=_NAME, question=_QUESTION, refused=str(error))
    untested = why_untested(*runs, sampled=True)
    said = {
        _said(row, untested): row["p_holm"] < SIGNIFICANT for row in tested.to_dict("records")
    }
    claims = tuple(text for text, clear in said.items() if clear and not untested)
    return Card(
        name=_NAME, question=_QUESTION, sentences=(*said, *left_out_words(*runs)),
        claims=claims, shown=(_curves(runs, drawn, said), _tests(tested, untested)),
    )  # fmt: skip


def _curves(runs: Sequence[Run], drawn: pd.DataFrame, said: Iterable[str]) -> Shown:
    """The share of networks as good as each score, of each run."""
    ranking, counts = runs[0].ranking, [len(averaged(run)) for run in runs]
    names = [f"{name} (n = {n:,})" for name, n in zip(labels(runs), counts, strict=True)]
    # Each curve keeps at most 200 steps.
    shown = drawn.assign(kind_=drawn["kind"], kind=drawn["label"] + drawn["kind"])
    shown = thinned(shown).assign(kind=lambda frame: frame["kind_"]).drop(columns="kind_")
    return Shown(
        name="overlay-edf",
        caption=f"The share of networks whose {words(ranking)} is as good or better, for "
        f"{', '.join(names)}, with 95 % bands that each contain a whole true curve. "
        "As sampled: by Dvoretzky, Kiefer and Wolfowitz. At equal complexity: "
        "networks within the range of multiply-adds that all runs reach, each part "
        "of its logarithm with equal weight, with bootstrapped bands; overlapping "
        "bands are not a test.",
        table=shown,
        columns=(
            Column("run", "label"),
            Column("compared", "kind"),
            Column(titled(ranking), "value", form_of(ranking)),
            Column("share", "fraction", ".3f"),
            Column("95 % low", "low", ".3f"),
            Column("95 % high", "high", ".3f"),
        ),
        draw=lambda: draw_overlay(
            drawn, ranking, title=f"{words(ranking)}: {', '.join(names)}"
        ),
        alt="Rising lines, one per run: the share of networks as good as each "
        f"{words(ranking)} or better. {' '.join(said)}",
    )


def _tests(tested: pd.DataFrame, untested: str) -> Shown:
    """The largest distance between each two curves, with tests where they are sound."""
    empty = set() if tested["refused"].astype(bool).any() else {"refused"}
    empty |= {"p", "p_holm"} if untested else set()
    count = int(tested["p"].notna().sum())
    return Shown(
        name="overlay-tests",
        caption="The largest distance between each two curves, by Kolmogorov and Smirnov as "
        "sampled, and between pairs of networks matched by multiply-adds at equal "
        "complexity"
        + ("" if untested else f"; p corrected over all {count} tests by Holm")
        + ". By chance up to: the critical gap of one 5 % test, with Dvoretzky, Kiefer and "
        "Wolfowitz's width for n m / (n + m) networks. Networks of two runs are treated "
        "as drawn independently",
        table=tested,
        columns=tuple(column for column in _TESTED if column.key not in empty),
    )


def _said(row: dict[Hashable, Any], untested: str) -> str:
    pair = f"{row['a']} and {row['b']}"
    if row["refused"]:
        return f"{pair} {row['kind']}: not tested, because {row['refused']}."
    counted = {SAMPLED: "as sampled", EQUAL: f"at equal complexity ({row['n_a']:,.0f} pairs)"}
    p = f"{p_words(row['p_holm'])} after Holm"
    gap = f", by chance up to {row['gap']:.2f}" if pd.notna(row["gap"]) else ""
    apart = f"their curves are {row['distance']:.2f} apart at most{gap}"
    if untested:
        return f"{pair} {counted[row['kind']]}: {apart}. Nothing is tested, for {untested}."
    ends = f"{apart}; {p}"
    differ = f"the networks of {pair} differ {counted[row['kind']]}: {ends}."
    if row["p_holm"] < SIGNIFICANT:
        return capital(differ)
    return f"The data do not show that {differ}"
