"""Draws pairs of networks from `analysis.questions.pairs`."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.plots.fitting import legend_below
from analysis.plots.style import drawing, entitle, marks
from analysis.runs.scores import Score, with_unit
from search.design.contrasts import ALIKE

_ROW = 0.24  # inches
_TICKS = 5  # values of small metrics have many digits, and would run together
_WIDTHS = "thick: 97.5 % interval alone, thin: all at once"


def draw_pairs(frame: pd.DataFrame, score: Score, *, title: str) -> Figure:
    """Draw the difference of every pair of networks, filled for pairs of equal size.

    Args:
        frame: from `analysis.questions.pairs.pairs_compared`.
        score: the score that was compared: `run.score`.
        title: title of the figure, which describes the run.
    """
    rows, style = frame[::-1].reset_index(drop=True), marks(["pair"])["pair"]
    equal = rows["macs_ratio"].between(1 / ALIKE, ALIKE)
    with drawing(width=7.5, height=1.5 + _ROW * max(len(rows), 3)) as (figure, (ax,)):
        places = np.arange(len(rows))
        ax.hlines(places, rows["low_all"], rows["high_all"], color=style.color, linewidth=1)
        ax.hlines(places, rows["low"], rows["high"], color=style.color, linewidth=3)
        for mine, label, fill in (
            (equal, "equal multiply-adds (within 5 %)", style.color),
            (~equal, "other multiply-adds", "white"),
        ):
            if mine.any():
                ax.plot(
                    rows.loc[mine, "difference"], places[mine], style.marker,
                    color=style.color, markerfacecolor=fill, label=label,
                )  # fmt: skip
        ax.axvline(0, color="0.3", linewidth=1)
        names = rows["a_label"] + " less " + rows["b_label"]
        ax.set_yticks(places, names, fontsize="small")
        ax.set_ylim(-0.7, len(rows) - 0.3)
        ax.set_xlabel(
            with_unit(f"{score.name}, the first minus the second", score.unit_of_difference)
        )
        ax.xaxis.set_major_locator(MaxNLocator(_TICKS))
        entitle(figure, title)
        legend_below(figure, columns=2, title=_WIDTHS)
    return figure
