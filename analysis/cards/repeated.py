"""The card on what repeated searches found, averaged over their repeats."""

from collections.abc import Sequence

import pandas as pd

from analysis.cards.card import Card, Column, Shown
from analysis.plots.repeated import draw_repeated
from analysis.questions.repeated import FEWEST, curves, left_out
from analysis.runs.networks import left_out_words
from analysis.runs.run import Run, RunError
from analysis.runs.scores import capital, form_of, titled, words

_NAME = "repeated"
_QUESTION = "What does such a search find after each trial, whatever its seed?"


def repeated_card(runs: Sequence[Run]) -> Card:
    """Show mean anytime curves of searches that were repeated with other seeds."""
    try:
        found = curves(runs)
    except RunError as error:
        return Card(name=_NAME, question=_QUESTION, refused=str(error))
    run = runs[0]
    metric, form = words(run.ranking), form_of(run.ranking)
    last = found.groupby("search", sort=False).tail(1)
    said = [
        f"After {row['trials']:,} trials {row['search']} has a best {metric} of "
        f"{run.ranking.text(row['best'])} on average of {row['repeats']} repeats"
        + (
            f" (95 % interval {row['best_low']:.4g} to {row['best_high']:.4g})."
            if pd.notna(row["best_low"])
            else ", which is the same in all."
        )
        for row in last.to_dict("records")
    ]
    few = left_out(runs)
    if few:
        named = ", ".join(f"{name} ({count})" for name, count in few.items())
        said.append(f"Left out, with fewer than {FEWEST} repeats: {named}.")
    said += left_out_words(*runs)
    shown = Shown(
        name="repeated-curves",
        caption=f"{capital(metric)} of the best network so far and the hypervolume (the area "
        f"that the networks so far dominate in {metric} and {words(run.cost_axis)}, "
        "each scaled from 0, the best of all runs, to 1, the worst), as means over "
        "repeats of the same search with other seeds, with 95 % t-intervals over "
        "repeats, each number of trials alone and cut at the frame. Each network "
        "counts with the mean of its seeds",
        table=found,
        columns=(
            Column("search", "search"),
            Column("repeats", "repeats", ","),
            Column("trials", "trials", ","),
            Column(f"mean best {titled(run.ranking)}", "best", form),
            Column("95 % low", "best_low", form),
            Column("95 % high", "best_high", form),
            Column("mean hypervolume", "hypervolume", ".3f"),
            Column("its 95 % low", "area_low", ".3f"),
            Column("its 95 % high", "area_high", ".3f"),
        ),
        draw=lambda: draw_repeated(
            found, run.ranking, title=f"{metric} of {run.plan.data.name}"
        ),
        alt=f"Lines in steps with bands, one per search. {' '.join(said)}",
    )
    return Card(name=_NAME, question=_QUESTION, sentences=tuple(said), shown=(shown,))
