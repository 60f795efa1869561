"""Draws learning curves of a whole run from `analysis.questions.curves`."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.plots.fitting import legend_below
from analysis.plots.style import drawing, entitle, marks, nothing
from analysis.runs.scores import titled
from search.schema.metrics import Objective

_HALF_WIDTH = 0.1  # in epochs, of a band over a single epoch
_MANY = 30  # beyond this many epochs, markers would hide the line


def draw_curves(
    band: pd.DataFrame, best: pd.DataFrame, ranking: Objective, *, title: str
) -> Figure:
    """Draw the ranking metric by epoch: median and band of all trials, and the best networks.

    Args:
        band: from `analysis.questions.curves.band`.
        best: from `analysis.questions.curves.best`.
        ranking: the ranking metric: `run.ranking`.
        title: title of the figure, which describes the run.
    """
    with drawing(width=8, height=4.6) as (figure, (ax,)):
        if len(band):
            _draw_band(band, ax)
            _draw_best(best, ax)
            legend_below(figure, columns=2)
        else:
            nothing(ax, "no trial has finished an epoch")
        ax.set_xlabel("epoch")
        ax.set_ylabel(titled(ranking))
        entitle(figure, title)
        if len(band) == 1:
            ax.set_xticks(band["epoch"])
        else:
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _draw_band(band: pd.DataFrame, ax: Axes) -> None:
    between = " or ".join(dict.fromkeys(band["between"]))
    wide = band if len(band) > 1 else pd.concat([band, band])  # a single epoch has no width
    ax.fill_between(
        wide["epoch"] if len(band) > 1 else wide["epoch"] + [-_HALF_WIDTH, _HALF_WIDTH],
        wide["low"],
        wide["high"],
        color="0.85",
        linewidth=0,
        label=f"all trials, between {between}",
        zorder=1,
    )
    marker = "o" if len(band) == 1 else None  # a line with one point is invisible
    ax.plot(
        band["epoch"],
        band["median"],
        color="0.35",
        linewidth=2,
        linestyle="--",
        marker=marker,
        label="all trials, median",
        zorder=2,
    )


def _draw_best(best: pd.DataFrame, ax: Axes) -> None:
    names = list(dict.fromkeys(best["name"]))
    for name, style in marks(names).items():
        rows = best[best["name"] == name]
        seeds = rows["seeds"].max()
        ax.plot(
            rows["epoch"],
            rows["mean"],
            color=style.color,
            linestyle=style.linestyle,
            marker=style.marker if len(rows) <= _MANY else None,
            markersize=5,
            label=f"{name}, {seeds} seed{'s' if seeds != 1 else ''}",
            zorder=3,
        )
