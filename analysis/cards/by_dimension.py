"""The card on where good networks lie in each dimension."""

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from analysis.cards.card import Card, Column, Shown, reason
from analysis.cards.space import nothing_varied
from analysis.plots.by_dimension import draw_by_dimension
from analysis.questions.by_dimension import best_by_dimension
from analysis.runs.networks import averaged, left_out_words
from analysis.runs.run import Run, RunError
from analysis.runs.scores import capital, words

_NAME, _QUESTION = "by-dimension", "Where do the good networks lie in each dimension?"
_CATEGORIES = (Column("value", "value"), Column("share of the best", "share", ".1%"))
_RANGES = (
    Column("low", "low", "g"),
    Column("median", "median", "g"),
    Column("high", "high", "g"),
    Column("sampled from", "from", "g"),
    Column("to", "to", "g"),
)


def by_dimension(run: Run) -> Card:
    """Show where the best networks lie in each dimension."""
    try:
        found = best_by_dimension(run)
    except RunError as error:
        return Card(name=_NAME, question=_QUESTION, refused=reason(error, run.folder))
    if found.empty:
        return Card(name=_NAME, question=_QUESTION, refused=nothing_varied(run))
    networks, metric, said = (
        averaged(run),
        words(run.ranking),
        (
            *_sentences(found),
            *left_out_words(run),
        ),
    )
    columns = [Column("dimension", "dimension"), Column("networks", "networks", ",.0f")]
    columns += _CATEGORIES if found["share"].notna().any() else ()
    columns += _RANGES if found["low"].notna().any() else ()
    shown = Shown(
        name="by-dimension-best",
        caption=f"{capital(metric)} against each dimension, one point for each of "
        f"{len(networks):,} networks. Grey: the 2.5 to 97.5 % range of where the "
        "best of random quarters of the networks lie; dashed: its median (RegNet's "
        "empirical bootstrap, Radosavovic et al. 2020). For dimensions whose values "
        "are not numbers: how often the best has each value. This shows where good "
        "networks are found, not with what certainty, and it is not a confidence "
        "interval. It also does not separate the effect of one dimension from those "
        "sampled with it.",
        table=found,
        columns=tuple(columns),
        draw=lambda: draw_by_dimension(
            networks, found, run.ranking, title=run.described(short=True)
        ),
        alt=f"Points: {metric} against {', '.join(dict.fromkeys(found['dimension']))}. "
        + " ".join(said),
    )
    return Card(name=_NAME, question=_QUESTION, sentences=said, shown=(shown,))


def _sentences(found: pd.DataFrame) -> list[str]:
    ranges = found[found["low"].notna()].to_dict("records")
    wide = [row["dimension"] for row in ranges if _is_all(row)]
    said = [
        f"In {row['dimension']} the best of random quarters of the networks lie from "
        f"{row['low']:g} to {row['high']:g}, where {row['from']:g} to {row['to']:g} was "
        "sampled."
        for row in ranges
        if not _is_all(row)
    ]
    if wide:
        said.append(f"In {', '.join(wide)} they lie anywhere in the sampled range.")
    shares = found[found["share"].notna()]
    return said + [
        _most_often(str(dimension), rows)
        for dimension, rows in shares.groupby("dimension", sort=False)
    ]


def _most_often(dimension: str, rows: pd.DataFrame) -> str:
    first = rows[np.isclose(rows["share"], rows["share"].max())]
    share, each = first["share"].iloc[0], " each" if len(first) > 1 else ""
    return (
        f"In {dimension} the best of random quarters most often has "
        f"{' or '.join(map(str, first['value']))}: in {share:.0%} of them{each}."
    )


def _is_all(row: dict[Hashable, Any]) -> bool:
    return bool(row["low"] == row["from"] and row["high"] == row["to"])
