"""The card on the expected result of a budget that was not run."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.cards.card import Card, Column, Shown
from analysis.plots.forecast import draw_forecast
from analysis.questions.forecast import budgets, forecasts, uneven
from analysis.runs.networks import left_out_words
from analysis.runs.run import Run, RunError
from analysis.runs.scores import words
from analysis.scaling.points import Refusal
from search.schema.units import format_amount
from search.schema.wording import how_many

_NAME, _QUESTION = "forecast", "What would the best network of a larger budget be?"
_COLUMNS = (
    Column("multiply-adds", "macs", ",.0f"),
    Column("of the best network", "what"),
    Column("forecast", "estimate", ".2f"),
    Column("90 % low", "low", ".2f"),
    Column("90 % high", "high", ".2f"),
    Column("from budgets", "budgets", ","),
    Column("found", "found", ".2f"),
    Column("found minus forecast", "off", "+.2f"),
    Column("weights of the forms", "forms"),
)


def forecast_card(runs: Sequence[Run]) -> Card:
    """Show forecasts of the next budget, and how well the last one was forecast."""
    try:
        ran = budgets(runs)
        table = forecasts(runs, rng=np.random.default_rng(0))
    except (RunError, Refusal) as error:
        return Card(name=_NAME, question=_QUESTION, refused=str(error))
    metric = words(runs[0].ranking)
    said = (
        *(sentence(row, metric) for row in table.to_dict("records")),
        *uneven(ran),
        *left_out_words(*runs),
    )
    counts = ", ".join(
        f"{format_amount(one.macs)} ({how_many(len(one.networks), 'network')})" for one in ran
    )
    scored = table["found"].notna().any()
    shown = Shown(
        name="forecast-values",
        caption=f"The {metric} of the best network and its dimensions, of budgets of "
        f"{counts} multiply-adds (the median of each run), with 90 % forecasts of "
        "what a search of another budget, of as many networks, would find. They include that "
        "search's own chance, resampled networks, and several forms of curves, each "
        "weighted by how well it predicts the largest budget from the smaller ones. "
        "Each interval holds alone. In six simulated families of curves, most of "
        "which are none of these forms, intervals of the error contained the result "
        "of the next budget, of twice the size, in 81 to 97 % of cases, 91 % on "
        "average; intervals of dimensions were not simulated. A dimension is that "
        "of the best of random quarters"
        + (
            "; results that were found were not used for their own forecast." if scored else "."
        ),
        table=table,
        columns=tuple(
            column for column in _COLUMNS if scored or column.key not in ("found", "off")
        ),
        draw=lambda: draw_forecast(
            [(one.macs, float(one.networks["val"].min())) for one in ran],
            table[table["what"] == "error"],
            runs[0].ranking,
            title=f"{', '.join(dict.fromkeys(run.name for run in runs))}: {len(ran)} budgets",
        ),
        alt=f"Points: the best {metric} of each budget; intervals: forecasts. {' '.join(said)}",
    )
    return Card(name=_NAME, question=_QUESTION, sentences=said, shown=(shown,))


def sentence(row: dict[Hashable, Any], metric: str) -> str:
    """State a row of `analysis.questions.forecast.forecasts` in words.

    Args:
        row: the row.
        metric: name of the metric in words.
    """
    of_error = row["what"] == "error"
    what = f"{metric} of the best network" if of_error else f"{row['what']} of the best"
    unit = " %" if of_error else ""
    ends = f"{row['low']:.4g} to {row['high']:.4g}{unit}"
    budget = f"{format_amount(row['macs'])} multiply-adds"
    if pd.isna(row["found"]):
        return (
            f"At {budget} the {what} is predicted to be {row['estimate']:.4g}{unit} (90 % "
            f"interval {ends}), from {row['budgets']} budgets."
        )
    where = "inside" if row["inside"] else "outside"
    return (
        f"At {budget}, which was run, the {what} was {row['found']:.4g}{unit}, {where} the "
        f"90 % interval {ends} predicted from {row['budgets']} smaller budgets, and "
        f"{row['off']:+.3g} from its middle of {row['estimate']:.4g}{unit}."
    )
