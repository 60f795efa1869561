"""Draws the estimates of networks' true means from `analysis.questions.best`."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.plots.fitting import legend_below
from analysis.plots.style import drawing, entitle, marks
from analysis.runs.scores import titled
from search.schema.metrics import Objective

_SHOWN = 20  # networks shown


def draw_best(worth: pd.DataFrame, ranking: Objective, *, title: str) -> Figure:
    """Draw means over seeds and their shrunken estimates for the most probable best networks.

    Args:
        worth: from `analysis.questions.best.best_networks`.
        ranking: the ranking metric: `run.ranking`.
        title: title of the figure, which describes the run.
    """
    rows = worth.head(_SHOWN)[::-1]
    style, places = marks(["worth"])["worth"], np.arange(len(rows))
    with drawing(width=7.5, height=1.6 + 0.25 * len(rows)) as (figure, (ax,)):
        ax.hlines(places, rows["val_low"], rows["val_high"], color=style.color, linewidth=2)
        ax.plot(rows["val"], places, style.marker, color=style.color, label="shrunken, 95 %")
        ax.plot(
            rows["val_mean"], places, "x", color="black", markersize=5, label="mean over seeds"
        )
        for place, probability, at in zip(places, rows["best"], rows["val_high"], strict=True):
            ax.annotate(
                f"{probability:.0%}", (at, place), xytext=(4, 0), textcoords="offset points",
                va="center", fontsize="small",
            )  # fmt: skip
        ax.set_yticks(places, rows["name"])
        ax.set_xlabel(f"{titled(ranking)}; beside it the probability of being the best")
        ax.margins(x=0.08)
        entitle(figure, title)
        legend_below(figure, columns=2)
    return figure
