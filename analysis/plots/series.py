"""Draws the series of the paper's Fig. 5 from `analysis.questions.series`."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.plots.style import cut_whiskers, drawing, marks, unit_of
from analysis.runs.scores import Score
from search.design.contrasts import BASE, DIMENSIONS


def draw_series(
    summary: pd.DataFrame, score: Score, *, printed: pd.DataFrame, title: str
) -> Figure:
    """The paper's Fig. 5: test score against parameters and against multiply-adds.

    Args:
        summary: from `analysis.questions.series.summary`.
        score: what the means are of: `run.score`.
        printed: from `analysis.questions.series.printed`: what the paper says, drawn apart.
        title: what the run was.
    """
    with drawing(2) as (figure, axes):
        for ax, size, said in zip(
            axes, ("params", "macs"), ("parameters", "multiply-adds per image"), strict=True
        ):
            unit, letter = unit_of(summary[size])
            _draw_lines(summary, ax, size=size, unit=unit)
            _cut(summary, ax)
            if len(printed):
                ax.scatter(
                    printed[size] / unit,
                    printed["score"],
                    marker="*",
                    s=130,
                    facecolors="none",
                    edgecolors="black",
                    zorder=4,
                    label="printed in the paper (Table 4)",
                )
            ax.set_xlabel(f"{said} ({letter})")
            ax.set_ylabel(score.label)
        axes[0].legend(loc="best", fontsize=8)
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure


def _cut(summary: pd.DataFrame, ax: Axes) -> None:
    """Keep the axes to where the means are, and say so."""
    if cut_whiskers(ax, summary["mean"], summary["low"], summary["high"]):
        ax.set_title("whiskers that leave the axes are cut", loc="right", fontsize=8)


def _draw_lines(summary: pd.DataFrame, ax: Axes, *, size: str, unit: float) -> None:
    """A line for each series from the base, its networks named, whiskers over seeds."""
    styles = marks(DIMENSIONS)
    base = summary[summary["series"] == BASE]
    for name in [one for one in DIMENSIONS if one in set(summary["series"])]:
        members = pd.concat([base, summary[summary["series"] == name]]).sort_values(size)
        style, x = styles[name], members[size] / unit
        ax.plot(x, members["mean"], color=style.color, linestyle=style.linestyle, zorder=2)
        mine = members[members["series"] == name]
        _draw_means(
            mine, mine[size] / unit, ax, color=style.color, marker=style.marker, label=name
        )
        for at, row in zip(mine[size] / unit, mine.to_dict("records"), strict=True):
            _name(ax, (at, row["mean"]), row["label"], color=style.color, above=name != "scale")
    _draw_means(base, base[size] / unit, ax, color="black", marker="o", label="base")
    for at, row in zip(base[size] / unit, base.to_dict("records"), strict=True):
        _name(ax, (at, row["mean"]), row["label"], color="black", above=False)


def _draw_means(
    rows: pd.DataFrame, x: pd.Series, ax: Axes, *, color: str, marker: str, label: str
) -> None:
    reach = np.array([rows["mean"] - rows["low"], rows["high"] - rows["mean"]])
    ax.errorbar(
        x,
        rows["mean"],
        yerr=reach,  # of one seed NaN, which draws nothing
        fmt=marker,
        color=color,
        capsize=2.5,
        linewidth=1,
        markersize=5.5,
        label=label,
        zorder=3,
    )


def _name(ax: Axes, at: tuple[float, float], text: str, *, color: str, above: bool) -> None:
    ax.annotate(
        text,
        at,
        xytext=(5, 4) if above else (5, -11),
        textcoords="offset points",
        fontsize=7.5,
        color=color,
        bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.5},
    )
