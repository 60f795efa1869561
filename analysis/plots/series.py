"""Draws the series of the paper's Fig. 5 from `analysis.questions.series`."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.plots.fitting import legend_below
from analysis.plots.labels import Named, moved_apart, write_names
from analysis.plots.style import Mark, cut_whiskers, drawing, entitle, marks, unit_of
from analysis.plots.whiskers import draw_whiskers
from analysis.runs.scores import Score
from search.design.contrasts import BASE, DIMENSIONS

_SIZES = (("params", "parameters"), ("macs", "multiply-adds per image"))
_BASE = Mark("black", "o", "-")
_X = "_x"


def draw_series(
    summary: pd.DataFrame, score: Score, *, printed: pd.DataFrame, title: str
) -> Figure:
    """Draw the paper's Fig. 5: test score against parameters and, smaller, multiply-adds.

    Both are shown because a gain at equal parameters need not be one at equal multiply-adds:
    networks with equal parameters differ in multiply-adds by a quarter and more. Heights are
    the same in both, so the second has no names and about half the room.

    Args:
        summary: from `analysis.questions.series.summary`.
        score: the score that is averaged: `run.score`.
        printed: from `analysis.questions.series.printed`: the paper's values, drawn separately.
        title: title of the figure, which describes the run.
    """
    with drawing(2, width=5) as (figure, axes):
        axes[0].get_subplotspec().get_gridspec().set_width_ratios([1.8, 1])  # type: ignore[union-attr]
        axes[1].sharey(axes[0])
        axes[1].tick_params(labelleft=False)
        for ax, (size, said) in zip(axes, _SIZES, strict=True):
            unit, letter = unit_of(summary[size])
            _draw_networks(_placed(summary, summary[size] / unit), ax)
            _draw_printed(printed[size] / unit, printed["score"], ax)
            ax.set_xlabel(f"{said} ({letter})")
        ends = summary["low"], summary["high"]
        cut = cut_whiskers(axes[0], summary["mean"], *ends, unit=score.unit)
        axes[0].set_ylabel(score.label)
        handles, labels = axes[0].get_legend_handles_labels()
        if summary["low"].notna().any():
            whisker = Line2D([], [], color="0.3", marker="|", linestyle="none")
            handles = [*handles, whisker]
            labels.append("95 % interval over seeds" + " (cut where it leaves the axes)" * cut)
        legend_below(figure, (handles, labels), columns=5)
        entitle(figure, title)
        _write_names(summary, axes[0])
    return figure


def _placed(summary: pd.DataFrame, x: pd.Series) -> pd.DataFrame:
    return summary.assign(**{_X: moved_apart(x, summary["low"], summary["high"])})


def _styles(summary: pd.DataFrame) -> dict[str, Mark]:
    """Style of each existing series; the base comes last, so that it is drawn on top."""
    present = {*summary["series"]}
    styles = {name: style for name, style in marks(DIMENSIONS).items() if name in present}
    return styles | {BASE: _BASE}


def _draw_networks(summary: pd.DataFrame, ax: Axes) -> None:
    """Draw a line from the base for each series, with whiskers over seeds."""
    base = summary[summary["series"] == BASE]
    for name, style in _styles(summary).items():
        mine = summary[summary["series"] == name]
        if name != BASE:
            line = pd.concat([base, mine]).sort_values(_X)
            ax.plot(
                line[_X], line["mean"], color=style.color, linestyle=style.linestyle, zorder=2
            )
        draw_whiskers(
            ax, mine[_X], mine["mean"], mine["low"], mine["high"],
            ecolor=style.color, zorder=3,
        )  # fmt: skip
        ax.plot(
            mine[_X], mine["mean"], style.marker, color=style.color, markersize=5.5,
            label=name if name != BASE else f"base: {', '.join(mine['label'])}", zorder=4,
        )  # fmt: skip


def _draw_printed(x: pd.Series, y: pd.Series, ax: Axes) -> None:
    if len(x):
        ax.scatter(
            x, y, marker="*", s=130, facecolors="none", edgecolors="black", zorder=4,
            label="printed in the paper (Table 4)",
        )  # fmt: skip


def _write_names(summary: pd.DataFrame, ax: Axes) -> None:
    """Write names beside the means, avoiding lines and whiskers."""
    size = _SIZES[0][0]
    rows = _placed(summary, summary[size] / unit_of(summary[size])[0])
    styles = _styles(rows)
    named = [
        Named(row[_X], row["mean"], row["label"], styles.get(row["series"], _BASE).color)
        for row in rows.to_dict("records")
        if row["series"] != BASE  # its long name is in the legend
    ]
    drawn = (line for line in ax.lines if line.get_linestyle() != "None")
    lines = [np.asarray(line.get_xydata(), dtype=float) for line in drawn]
    ends = rows[[_X, "low", "high"]].dropna().to_numpy(dtype=float)
    whiskers = [np.array([[x, low], [x, high]]) for x, low, high in ends]
    write_names(ax, named, [*lines, *whiskers])
