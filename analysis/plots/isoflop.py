"""Draws error against size at equal training compute, and residuals of a joint law."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.plots.style import entitle, log_if_wide, marks, panelled, unit_of
from analysis.runs.scores import titled
from analysis.scaling.isomacs import budgeted
from search.schema.metrics import Objective
from search.schema.units import format_amount
from search.schema.wording import how_many

_MOST = 7  # lines that can be distinguished


def draw_isoflop(
    points: pd.DataFrame,
    residuals: pd.DataFrame,
    minima: pd.DataFrame,
    ranking: Objective,
    *,
    title: str,
) -> Figure:
    """Draw curves of equal compute with their minima, and residuals by size and length.

    Args:
        points: from `analysis.questions.isoflop.points`.
        residuals: residuals of `analysis.scaling.projected.Projected`.
        minima: budgets of `analysis.scaling.isomacs.Frontier`; if empty, curves of equal length
            are drawn instead.
        ranking: the ranking metric: `run.ranking`.
        title: title of the figure, which says what was run.
    """
    unit, name = unit_of(points["size"])
    with panelled(2, most=2, height=3.6) as (figure, (left, right)):
        _curves(points, minima, left, unit=unit)
        left.set_ylabel(titled(ranking))
        left.set_title(
            "at equal training compute" if len(minima) else "at equal length",
            loc="left",
            fontsize=10,
        )
        _residuals(residuals, right, unit=unit)
        right.axhline(0, color="0.2", linewidth=0.8)
        right.set_ylabel("error above the joint law (%)")
        right.set_title("residual of the joint law", loc="left", fontsize=10)
        for ax in (left, right):
            ax.set_xlabel(f"{name} multiply-adds".strip())
            log_if_wide(ax, points["size"] / unit)
            # Below the panel, because points are everywhere in it.
            ax.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=3)
        entitle(figure, title)
    return figure


def _curves(points: pd.DataFrame, minima: pd.DataFrame, ax: Axes, *, unit: float) -> None:
    if len(minima):
        table = budgeted(points).assign(group=lambda frame: frame["budget"])
        kept = minima.index[minima["reason"] == ""]
        named = {i: f"{format_amount(3 * minima.loc[i, 'compute'])} MACs" for i in kept}
    else:
        table = points.assign(group=points["epochs"])
        named = {
            epochs: how_many(epochs, "epoch") for epochs in sorted(points["epochs"].unique())
        }
    chosen = list(named)[:: -(-len(named) // _MOST)]
    styles = marks([named[one] for one in chosen])
    for group in chosen:
        style = styles[named[group]]
        rows = table[table["group"] == group].groupby("size")["error"].mean()
        ax.plot(
            rows.index / unit, rows, marker=style.marker, color=style.color,
            linestyle="none" if len(minima) else style.linestyle, markersize=5,
            label=named[group],
        )  # fmt: skip
        if len(minima):
            x = np.log(rows.index.to_numpy(dtype=float))
            bend = np.polyfit(x - x.mean(), np.log(rows.to_numpy()), 2)
            grid = np.linspace(x.min(), x.max(), 60)
            ax.plot(
                np.exp(grid) / unit, np.exp(np.polyval(bend, grid - x.mean())),
                color=style.color, linestyle=style.linestyle, linewidth=1,
            )  # fmt: skip
            best = minima.loc[group]
            ax.plot(best["best_size"] / unit, best["best_error"], "*", color="black", zorder=4)


def _residuals(residuals: pd.DataFrame, ax: Axes, *, unit: float) -> None:
    lengths = sorted(residuals["examples"].unique())
    shown = lengths if len(lengths) <= _MOST else []
    styles = marks([str(one) for one in shown])
    for one in shown:
        rows = residuals[residuals["examples"] == one]
        style = styles[str(one)]
        ax.plot(
            rows["size"] / unit, 100 * rows["off"], style.marker, color=style.color,
            markersize=5, markerfacecolor="none", label=f"{format_amount(one)} images seen",
        )  # fmt: skip
    if not shown:
        ax.plot(residuals["size"] / unit, 100 * residuals["off"], "o", markersize=4,
                color="#0072B2", markerfacecolor="none", label="a trial")  # fmt: skip
