"""Draws the expected best of k networks."""

import pandas as pd
from matplotlib.figure import Figure

from analysis.plots.style import drawing, entitle, log_if_wide, marks
from analysis.runs.scores import titled
from search.schema.metrics import Objective

_MANY = 30  # beyond this many sizes, markers would hide the line


def draw_expected_best(curve: pd.DataFrame, ranking: Objective, *, title: str) -> Figure:
    """Draw the expected best ranking metric against the number of networks, with intervals.

    Args:
        curve: from `analysis.questions.expected_best.expected`.
        ranking: the ranking metric: `run.ranking`.
        title: title of the figure, which describes the run.
    """
    style = marks([""])[""]
    with drawing(width=7, height=3.8) as (figure, (ax,)):
        known = curve[curve["low"].notna()]
        if len(known):
            ax.fill_between(
                known["k"], known["low"], known["high"], color="0.85", linewidth=0,
                label="95 % interval at each number", zorder=1,
            )  # fmt: skip
            reach = (known["expected"] - known["low"], known["high"] - known["expected"])
            if len(known) <= 3:  # such a narrow area is invisible
                ax.errorbar(
                    known["k"], known["expected"], yerr=reach, fmt="none", ecolor="0.55",
                    capsize=2.5, elinewidth=1, zorder=1,
                )  # fmt: skip
        ax.plot(
            curve["k"], curve["expected"], color=style.color, zorder=2, markersize=4,
            marker="o" if len(curve) <= _MANY else None, label="expected best",
        )  # fmt: skip
        log_if_wide(ax, curve["k"])
        ax.set_xlabel("networks drawn at random and trained")
        ax.set_ylabel(f"best {titled(ranking)}")
        entitle(figure, title)
        ax.legend()
    return figure
