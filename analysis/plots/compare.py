"""Draws two runs against each other from `analysis.questions.compare.common`."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.plots.style import drawing, nothing
from analysis.runs.scores import with_unit, words
from search.schema.metrics import Objective

_MANY = 500  # beyond this many points, rasterise instead of one vector element each
_NAMED = 12  # networks whose names fit beside their points
_LINE = 0.03  # height of a line of text, as a share of the figure's


def draw_scores(
    shared: pd.DataFrame,
    ranking: Objective,
    *,
    numbers: tuple[int, int],
    names: tuple[str, str],
) -> Figure:
    """Draw the ranking metric in one run against that in another, with intervals over seeds.

    Args:
        shared: from `analysis.questions.compare.common`.
        ranking: the ranking metric of both.
        numbers: numbers of the two runs in the table.
        names: names of the two runs.
    """
    x, y = numbers
    with drawing(width=7, height=6) as (figure, (ax,)):
        ax.errorbar(
            shared[f"mean_{x}"],
            shared[f"mean_{y}"],
            xerr=_reach(shared, x),
            yerr=_reach(shared, y),
            fmt="o",
            color="#0072B2",
            ecolor="0.5",
            markersize=5 if len(shared) <= 60 else 3,
            linewidth=0,
            elinewidth=0.8,
            rasterized=len(shared) > _MANY,
            zorder=2,
        )
        ax.set_xlim(_limits(shared[f"mean_{x}"]))
        ax.set_ylim(_limits(shared[f"mean_{y}"]))
        ax.axline((0, 0), slope=1, color="0.3", linewidth=1, linestyle="--", zorder=1)
        _name_moved(shared, ax, columns=(f"mean_{x}", f"mean_{y}"), numbers=numbers)
        labels = [with_unit(f"{words(ranking)} in {name}", ranking.unit) for name in names]
        ax.set_xlabel(labels[0], parse_math=False)
        ax.set_ylabel(labels[1], parse_math=False)
    return figure


def draw_ranks(
    shared: pd.DataFrame, *, numbers: tuple[int, int], names: tuple[str, str]
) -> Figure:
    """Draw rank in one run against rank in another, for runs with incomparable scores.

    Args:
        shared: from `analysis.questions.compare.common`.
        numbers: numbers of the two runs in the table.
        names: names of the two runs.
    """
    x, y = numbers
    with drawing(width=7, height=6) as (figure, (ax,)):
        ax.scatter(
            shared[f"rank_{x}"],
            shared[f"rank_{y}"],
            s=30 if len(shared) <= 60 else 9,
            color="#0072B2",
            rasterized=len(shared) > _MANY,
            zorder=2,
        )
        ax.plot(
            [1, len(shared)],
            [1, len(shared)],
            color="0.3",
            linewidth=1,
            linestyle="--",
            zorder=1,
        )
        _name_moved(shared, ax, columns=(f"rank_{x}", f"rank_{y}"), numbers=numbers)
        if shared.empty:
            nothing(ax, "no network in common")
        ax.set_xlabel(f"rank in {names[0]} (1 is the best)", parse_math=False)
        ax.set_ylabel(f"rank in {names[1]}", parse_math=False)
    return figure


def _reach(shared: pd.DataFrame, number: int) -> np.ndarray | None:
    """The extent of intervals to both sides; 0 for a network without one."""
    mean = shared[f"mean_{number}"]
    sides = [mean - shared[f"low_{number}"], shared[f"high_{number}"] - mean]
    return None if sides[0].isna().all() else np.nan_to_num(np.array(sides))


def _limits(means: pd.Series) -> tuple[float, float]:
    """Limits around the means; whiskers of few seeds may be many times as long and are cut."""
    margin = 0.25 * float(np.ptp(means)) or 0.1 * abs(float(means.iloc[0])) or 1.0
    return float(means.min()) - margin, float(means.max()) + margin


def _name_moved(
    shared: pd.DataFrame, ax: Axes, *, columns: tuple[str, str], numbers: tuple[int, int]
) -> None:
    """Write names beside the points: all if there are few, else those that moved most."""
    moved = (shared[f"rank_{numbers[1]}"] - shared[f"rank_{numbers[0]}"]).abs()
    chosen = shared.loc[moved.sort_values(ascending=False, kind="stable").index[:_NAMED]]
    middle, height = sum(ax.get_xlim()) / 2, float(np.ptp(ax.get_ylim()))
    written: list[float] = []
    for x, y, name in zip(*(chosen[key] for key in (*columns, "name")), strict=True):
        if any(abs(y - other) < _LINE * height for other in written):
            continue  # overlapping names are unreadable; the table below has both
        written.append(y)
        right = x > middle
        ax.annotate(
            name,
            (x, y),
            xytext=(-6 if right else 6, 5),
            textcoords="offset points",
            ha="right" if right else "left",
            fontsize="small",
        )
