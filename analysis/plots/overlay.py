"""Overlays the score distributions of several runs."""

import pandas as pd
from matplotlib.figure import Figure

from analysis.plots.fitting import legend_below
from analysis.plots.steps import draw_steps
from analysis.plots.style import entitle, marks, nothing, panelled
from analysis.runs.scores import lower_is_better, titled
from search.schema.metrics import Objective


def draw_overlay(curves: pd.DataFrame, ranking: Objective, *, title: str) -> Figure:
    """Draw the share of networks at least as good: a line and band per run, a panel per kind.

    Args:
        curves: from `analysis.questions.overlay.curves`.
        ranking: the ranking metric: `run.ranking`.
        title: title of the figure, which says what is compared.
    """
    styles = marks(list(dict.fromkeys(curves["label"])))
    kinds = list(dict.fromkeys(curves["kind"])) or ["nothing"]
    with panelled(len(kinds), most=2, height=3.4) as (figure, axes):
        for ax, kind in zip(axes, kinds, strict=True):
            for label, rows in curves[curves["kind"] == kind].groupby("label", sort=False):
                style = styles[str(label)]
                draw_steps(ax, rows, "fraction", style=style, label=str(label))
            ax.set_title(kind, loc="left", fontsize=10)
            ax.set_xlabel(titled(ranking))
            ax.set_ylim(0, 1.02)
            if not lower_is_better(ranking):
                ax.invert_xaxis()
        axes[0].set_ylabel("share of the networks\nas good or better")
        if curves.empty:
            nothing(axes[0], "no network was trained whole")
        entitle(figure, title)
        legend_below(figure, axes[0].get_legend_handles_labels(), columns=3)
    return figure
