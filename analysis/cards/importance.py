"""The card on which dimensions account for the variance of scores, if any do."""

import numpy as np

from analysis.cards.card import Card, Column, Shown, reason
from analysis.plots.space import draw_importance
from analysis.questions.importance import importance
from analysis.questions.looks import why_untested
from analysis.runs.networks import left_out_words
from analysis.runs.run import Run, RunError
from analysis.runs.scores import words
from analysis.runs.wording import p_words

_RESAMPLES = 10


def importance_card(run: Run) -> Card:
    """Show which dimension matters most."""
    question = "Which dimension matters most?"
    try:
        table = importance(run, rng=np.random.default_rng(0), resamples=_RESAMPLES)
    except RunError as error:
        return Card(name="importance", question=question, refused=reason(error, run.folder))
    found = table.attrs["explained"]
    first = table[table["evaluator"] == "fANOVA"].iloc[0]
    untested = why_untested(run, sampled=True)
    p = "no p" if untested else f"{p_words(found.p)} against shuffled scores"
    said = (
        f"The dimensions explain {found.r2:.0%} of the variance of {words(run.ranking)} (R2 "
        f"on held-out networks, {p}, {found.networks} networks). Of the explained variance, "
        f"{first['dimension']} has the largest share: {first['share']:.2f} "
        f"({first['low']:.2f} to {first['high']:.2f})."
        + (f" Nothing is tested, for {untested}." if untested else "")
    )
    shown = Shown(
        name="importance-shares",
        caption="Shares of importance: fANOVA for the whole variance, PED-ANOVA for being "
        f"among the best tenth; medians and 5 to 95 % of {_RESAMPLES} bootstraps "
        "over networks. Importance holds for the space as it was sampled: where a "
        "budget ties dimensions to each other, one may explain what is due to "
        "another.",
        table=table,
        columns=(
            Column("evaluator", "evaluator"),
            Column("dimension", "dimension"),
            Column("share", "share", ".3f"),
            Column("5 %", "low", ".3f"),
            Column("95 %", "high", ".3f"),
        ),
        draw=lambda: draw_importance(table, title=run.described(short=True)),
        alt="Bars: share of importance of each dimension, by two evaluators.",
    )
    return Card(
        name="importance",
        question=question,
        sentences=(said, *left_out_words(run)),
        claims=() if untested else (said,),
        shown=(shown,),
    )
