"""Draws the best error of each budget, and forecasts for others."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.plots.style import drawing, entitle, log_if_wide, marks, unit_of
from analysis.runs.scores import titled
from search.schema.metrics import Objective


def draw_forecast(
    ran: Sequence[tuple[float, float]], table: pd.DataFrame, ranking: Objective, *, title: str
) -> Figure:
    """Draw the best error against multiply-adds, with forecasts as intervals.

    Args:
        ran: multiply-adds and the best error of each budget.
        table: rows for the error from `analysis.questions.forecast.forecasts`.
        ranking: the ranking metric: `run.ranking`.
        title: title of the figure, which says what was run.
    """
    sizes = np.array([one for one, _ in ran])
    unit, name = unit_of([*sizes, *table["macs"]])
    styles = marks(["best of a budget", "forecast"])
    with drawing(width=7.5, height=3.8) as (figure, (ax,)):
        style = styles["best of a budget"]
        ax.plot(
            sizes / unit, [best for _, best in ran], color=style.color, marker=style.marker,
            linestyle=style.linestyle, label="the best network of a budget", zorder=3,
        )  # fmt: skip
        style = styles["forecast"]
        ends = [table["estimate"] - table["low"], table["high"] - table["estimate"]]
        ax.errorbar(
            table["macs"] / unit, table["estimate"], yerr=ends, fmt=style.marker,
            color=style.color, capsize=4, markerfacecolor="none", zorder=2,
            label="foretold from smaller budgets, 90 % interval",
        )  # fmt: skip
        log_if_wide(ax, [*(sizes / unit), *(table["macs"] / unit)])
        ax.set_xlabel(f"{name} multiply-adds".strip())
        ax.set_ylabel(f"best {titled(ranking)}")
        entitle(figure, title)
        ax.legend()
    return figure
