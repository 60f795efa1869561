"""The card on how training compute is best split between size and length."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.cards.card import Card, Column, Shown
from analysis.plots.isoflop import draw_isoflop
from analysis.questions.isoflop import PASSES, Isoflop, isoflop
from analysis.runs.networks import left_out_words
from analysis.runs.run import Run, RunError
from analysis.runs.scores import words
from analysis.scaling.points import Refusal

_NAME = "isoflop"
_QUESTION = "How is training compute best spent: on larger networks, or on longer training?"
_BUDGETS = (
    Column("training compute (multiply-adds)", "spent", ".3g"),
    Column("sizes", "sizes", ","),
    Column("best size (multiply-adds)", "best_size", ",.0f"),
    Column("error there (%)", "best_error", ".2f"),
    Column("dropped, because", "reason"),
)


def isoflop_card(runs: Sequence[Run]) -> Card:
    """Show curves of equal compute, their minima, and a joint law of size and length."""
    try:
        found = isoflop(runs, rng=np.random.default_rng(0))
    except (RunError, Refusal) as error:
        return Card(name=_NAME, question=_QUESTION, refused=str(error))
    law, metric = found.law, words(runs[0].ranking)
    lengths = found.points["epochs"].unique()
    said = [
        f"By a joint law of {found.points['network'].nunique():,} networks and lengths, the "
        f"best size grows with training compute to the power {law.exponent:.2f} (95 % "
        f"interval {law.low:.2f} to {law.high:.2f}): at 0.5 size and length grow alike, "
        "above it size grows faster.",
        *_of_parabolas(found),
        *left_out_words(*runs),
    ]
    budgets = _budgets(found)
    curves = Shown(
        name="isoflop-law",
        caption=f"Left: {metric} against size"
        + (
            ", of budgets of equal training compute that bracket a minimum, with parabolas in "
            "log size and their minima (stars). "
            if found.frontier
            else ", by length. "
        )
        + "Training compute is 3 times the multiply-adds of all forward passes. Right: how "
        f"far the {metric} of each trial lies above the joint law E + A / N^alpha + B / "
        f"D^beta (N multiply-adds, D images seen; {len(lengths)} lengths), fitted by "
        "variable projection; a pattern there shows what the law misses. Parabolas are "
        "biased where sizes are not centred on the minimum, and by the law's own skew "
        "(arXiv 2603.22339).",
        table=pd.DataFrame([law.parameters | {"exponent": law.exponent}]),
        columns=tuple(Column(name, name, ".4g") for name in (*law.parameters, "exponent")),
        draw=lambda: draw_isoflop(
            found.points,
            law.residuals,
            found.frontier.budgets if found.frontier else pd.DataFrame(),
            runs[0].ranking,
            title=", ".join(dict.fromkeys(run.name for run in runs)),
        ),
        alt=f"Left: curves of {metric} against multiply-adds. Right: residuals. {said[0]}",
    )
    shown = (curves,) if budgets.empty else (curves, _table(budgets))
    return Card(name=_NAME, question=_QUESTION, sentences=tuple(said), shown=shown)


def _of_parabolas(found: Isoflop) -> list[str]:
    if found.frontier is None:
        return [f"Minima at equal compute are not shown: {found.doubt}."]
    frontier = found.frontier
    kept = int((frontier.budgets["reason"] == "").sum())
    said = [
        f"By the minima of parabolas at {kept} budgets it is {frontier.exponent:.2f} (95 % "
        f"interval {frontier.low:.2f} to {frontier.high:.2f}); parabolas are biased, so "
        "where the two differ, trust neither to that precision."
    ]
    dropped = len(frontier.budgets) - kept
    if dropped:
        are = "1 budget is" if dropped == 1 else f"{dropped} budgets are"
        said.append(f"{are} left out, each with its reason below.")
    return said


def _budgets(found: Isoflop) -> pd.DataFrame:
    if found.frontier is None:
        return pd.DataFrame()
    budgets = found.frontier.budgets
    return budgets.assign(spent=PASSES * budgets["compute"])


def _table(budgets: pd.DataFrame) -> Shown:
    dropped = (budgets["reason"] != "").any()
    return Shown(
        name="isoflop-budgets",
        caption="Budgets of training compute, and the minimum of the parabola through the mean "
        "error of each size",
        table=budgets,
        columns=tuple(one for one in _BUDGETS if dropped or one.key != "reason"),
    )
