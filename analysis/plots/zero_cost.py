"""Draws how well scores of untrained networks rank them like their training does."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.plots.fitting import legend_below
from analysis.plots.style import drawing, entitle, marks
from analysis.plots.whiskers import WHISKER

_APART = 0.16  # distance of the two points in a row, as a share of the row


def draw_zero_cost(table: pd.DataFrame, *, title: str) -> Figure:
    """Draw each score's tau_b with its interval, among all networks and equally large ones.

    Args:
        table: from `analysis.questions.zero_cost.scored_ranks`.
        title: title of the figure, which describes the run.
    """
    scores, groups = [*dict.fromkeys(table["score"])], [*dict.fromkeys(table["among"])]
    styles = marks(groups)
    with drawing(width=8, height=1.6 + 0.5 * len(scores)) as (figure, (ax,)):
        ax.axvline(0, color="0.2", linewidth=0.8)
        for place, among in enumerate(groups):
            rows = table[(table["among"] == among) & table["tau"].notna()]
            rank = rows["score"].map({one: at for at, one in enumerate(reversed(scores))})
            at = rank.astype(float) + _APART * (1 - 2 * place)
            sure, style = rows["low"].notna(), styles[among]
            ends = np.array([rows["tau"] - rows["low"], rows["high"] - rows["tau"]])
            ax.errorbar(
                rows["tau"][sure], at[sure], xerr=ends[:, sure],
                **(WHISKER | {"ecolor": style.color}),
            )  # fmt: skip
            ax.plot(
                rows["tau"], at, style.marker, color=style.color, linestyle="none",
                label=f"{among}, 95 % interval",
            )  # fmt: skip
        ax.set_yticks(range(len(scores)), [*reversed(scores)])
        ax.set_ylim(-0.6, len(scores) - 0.4)
        ax.set_xlim(-1.04, 1.04)
        ax.set_xlabel("Kendall's tau_b with the trained result: 1 is the same order, 0 is none")
        entitle(figure, title)
        legend_below(figure, columns=2)
    return figure
