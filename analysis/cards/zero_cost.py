"""The card on how well scores of untrained networks rank them like their training does."""

from collections.abc import Iterator

import pandas as pd

from analysis.cards.card import Card, Column, Shown, reason
from analysis.plots.zero_cost import draw_zero_cost
from analysis.questions.zero_cost import (
    ALL,
    EQUAL,
    WITHIN,
    scored_ranks,
    shows,
    training_seconds,
)
from analysis.runs.networks import left_out_words
from analysis.runs.run import Run, RunError
from analysis.runs.scores import words

_NAME = "zero-cost"
_QUESTION = "Do scores of untrained networks rank them as their training does?"
_COLUMNS = (
    Column("score", "score"),
    Column("among", "among"),
    Column("networks", "networks", ","),
    Column("tau_b", "tau", ".2f"),
    Column("95 % low", "low", ".2f"),
    Column("95 % high", "high", ".2f"),
    Column("low, all at once", "low_all", ".2f"),
    Column("high, all at once", "high_all", ".2f"),
    Column("seconds a network", "seconds", ".2f"),
    Column("no tau, because", "refused"),
)


def zero_cost_card(run: Run) -> Card:
    """Show rank correlations of scores and costs with the ranking metric, and their time."""
    try:
        table = scored_ranks(run)
    except RunError as error:
        return Card(name=_NAME, question=_QUESTION, refused=reason(error, run.folder))
    said = tuple(_said(run, table))
    shown = Shown(
        name="zero-cost-tau",
        caption=_caption(run, table),
        table=table,
        columns=_COLUMNS if table["refused"].any() else _COLUMNS[:-1],
        draw=lambda: draw_zero_cost(table, title=run.described(short=True)),
        alt=f"Points with intervals: Kendall's tau_b of each score. {' '.join(said)}",
    )
    return Card(
        name=_NAME,
        question=_QUESTION,
        sentences=(*said, *left_out_words(run)),
        shown=(shown,),
    )


def _said(run: Run, table: pd.DataFrame) -> Iterator[str]:
    for among, where in ((ALL, "all networks"), (EQUAL, "networks of equal multiply-adds")):
        rows = table[(table["among"] == among) & table["tau"].notna()]
        if rows.empty:
            why = table.loc[table["among"] == among, "refused"].iloc[0]
            yield f"Of {where} there is no answer: {why}."
            continue
        clear = [shows(row) for _, row in rows.iterrows()]
        yield f"Of {where}, {_listed(rows[clear], rows[[not one for one in clear]])}."
    taken = table[table["seconds"].notna()].drop_duplicates("score")
    took = ", ".join(f"{row.score} {row.seconds:.2f} s" for row in taken.itertuples())
    yield f"A network took {took}; its training {training_seconds(run):,.1f} s."


def _way(tau: float) -> str:
    return "as" if tau > 0 else "the other way round than"


def _listed(clear: pd.DataFrame, others: pd.DataFrame) -> str:
    """List the scores that clearly rank networks, and those that do not."""
    ranks = [
        f"{row.score} ranks {row.networks:,} {_way(float(str(row.tau)))} training does by "
        f"tau_b {row.tau:.2f} "
        f"({row.low_all:.2f} to {row.high_all:.2f})"
        for row in clear.itertuples()
    ]
    if len(others):
        names = ", ".join(others["score"])
        ranks.append(
            f"{'of ' if ranks else ''}{names}: the data do not show any order in common"
        )
    return "; ".join(ranks)


def _caption(run: Run, table: pd.DataFrame) -> str:
    count = int(table.loc[table["among"] == ALL, "networks"].max())
    said = (
        "Kendall's tau_b between each score of the untrained network and its "
        f"{words(run.ranking)} after training, over {count:,} networks and means of their "
        "seeds; above 0, networks that score higher are better. Equal multiply-adds: over "
        f"pairs of networks within {WITHIN:.0%} of each other, so a score that only measures "
        "size has 0 there, as macs should. 95 % intervals by the jackknife over networks, "
        "each alone, and in the sentences all at once (Bonferroni)."
    )
    rejected = int((run.trials["status"] == "rejected").sum())
    if rejected:
        said += (
            f" {rejected:,} networks were rejected untrained and have no result: those that "
            "remain are harder to rank."
        )
    if (run.trials["status"] == "pruned").any():
        said += " Only trials that reached the end count, which are the better ones."
    return said
