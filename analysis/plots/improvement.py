"""Draws how often each run is better than another, and performance profiles of all."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.plots.fitting import legend_below
from analysis.plots.steps import draw_steps
from analysis.plots.style import drawing, entitle, marks
from analysis.runs.scores import titled
from search.schema.metrics import Objective


def draw_improvements(table: pd.DataFrame, *, title: str) -> Figure:
    """Draw the chance for each pair of runs with its interval.

    Args:
        table: from `analysis.questions.improvement.improvements`.
        title: title of the figure, which says what is compared.
    """
    known = table[table["chance"].notna()].reset_index(drop=True)
    at = np.arange(len(known))[::-1]
    style = marks([""])[""]
    with drawing(width=7.5, height=1.5 + 0.45 * len(known)) as (figure, (ax,)):
        ends = [known["chance"] - known["low"], known["high"] - known["chance"]]
        ax.errorbar(
            known["chance"], at, xerr=np.nan_to_num(np.array(ends, dtype=float)), fmt="o",
            color=style.color, ecolor="0.3", capsize=3,
        )  # fmt: skip
        ax.axvline(0.5, color="0.2", linestyle="--", linewidth=1)
        ax.set_yticks(at, [f"{row.a}\nover {row.b}" for row in known.itertuples()])
        ax.set_ylim(-0.6, len(known) - 0.4)
        ax.set_xlim(-0.02, 1.02)
        ax.set_xlabel("chance that the first is better; dashed: neither is")
        entitle(figure, title)
    return figure


def draw_profiles(profiles: pd.DataFrame, ranking: Objective, *, title: str) -> Figure:
    """Draw the share of trainings at least as good as each score, a line and band per run.

    Args:
        profiles: from `analysis.questions.improvement.profiles`.
        ranking: the ranking metric: `run.ranking`.
        title: title of the figure, which says what is compared.
    """
    styles = marks(list(dict.fromkeys(profiles["label"])))
    with drawing(width=7.5, height=3.8) as (figure, (ax,)):
        for label, style in styles.items():
            rows = profiles[profiles["label"] == label]
            draw_steps(ax, rows, "share", style=style, label=label)
        ax.set_xlabel(titled(ranking))
        ax.set_ylabel("share of trainings\nas good or better")
        ax.set_ylim(0, 1.02)
        entitle(figure, title)
        legend_below(figure, columns=3)
    return figure
