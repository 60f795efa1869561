"""Draws scaling laws: measured points, fitted curves and their uncertainty."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.plots.fitting import legend_below
from analysis.plots.style import Mark, drawing, entitle, log_if_wide, marks, unit_of
from analysis.questions.slopes import Slope
from analysis.questions.tradeoffs import Fitted, along
from analysis.runs.scores import titled
from search.design.contrasts import BASE, DIMENSIONS
from search.schema.metrics import Objective

_GRID = 60  # points along a curve
_BAND = 0.16  # opacity


def draw_laws(
    points: pd.DataFrame,
    fitted: Mapping[str, Fitted],
    tested: Objective,
    *,
    title: str,
    slopes: Mapping[str, Slope] | None = None,
) -> Figure:
    """Draw error against multiply-adds along each dimension, with its law or its slope.

    Args:
        points: from `analysis.questions.series.points`.
        fitted: from `analysis.questions.tradeoffs.laws`; each is a curve with its 95 % band.
        tested: the metric on the test images: `run.tested`.
        title: title of the figure, which describes the run.
        slopes: from `analysis.questions.slopes.slopes`. Where there is no law, a straight line
            through the mean is drawn, shaded between the ends of the slope's 95 % interval.
    """
    unit, letter = unit_of(points["macs"])
    present = {*points["series"]}
    with drawing(width=7, height=5) as (figure, (ax,)):
        for dimension, style in marks(DIMENSIONS).items():
            if dimension not in present:
                continue
            members = along(points, dimension)
            mine = members[members["series"] != BASE]
            label = f"{dimension}: no law"
            if dimension in fitted:
                label = _draw_law(ax, dimension, fitted[dimension], style, unit=unit)
            elif dimension in (slopes or {}) and len(members):
                assert slopes is not None
                said = _draw_slope(ax, members, slopes[dimension], style, unit=unit)
                label = f"{dimension}: no law; {said}"
            _draw_points(ax, mine, style, unit=unit, label=label)
        base = along(points, BASE)
        _draw_points(ax, base, Mark("black", "o", "-"), unit=unit, label="base")
        log_if_wide(ax, points["macs"] / unit)
        ax.set_xlabel(f"multiply-adds per image ({letter})")
        ax.set_ylabel(f"{titled(tested)}; one point per trial")
        entitle(figure, title)
        shade = "shaded: 95 % band of a law" if slopes is None else _shade(fitted)
        legend_below(figure, columns=1, title=shade)
    return figure


def _shade(fitted: Mapping[str, Fitted]) -> str:
    law = "95 % band of a law, or " * bool(fitted)
    return f"shaded: {law}where the line goes at the ends of its slope's 95 % interval"


def _draw_law(ax: Axes, dimension: str, one: Fitted, style: Mark, *, unit: float) -> str:
    law = one.law
    grid = np.geomspace(law.smallest, law.largest, _GRID)
    band = law.band(grid)
    ax.fill_between(
        grid / unit, band["low"], band["high"], color=style.color, alpha=_BAND, linewidth=0
    )
    ax.plot(grid / unit, band["error"], color=style.color, linestyle=style.linestyle)
    count = len(one.judgement.held_out)
    largest = f"the {count} largest" if count > 1 else "the largest"
    said = f"off by {one.judgement.rmse[law.form.name]:.1%} on {largest}"
    return f"{dimension}: {law.form.name} law, {said}"


def _draw_slope(
    ax: Axes, members: pd.DataFrame, one: Slope, style: Mark, *, unit: float
) -> str:
    """Draw a straight line in the logarithm of size through the mean of the networks."""
    means = members.groupby("network")[["size", "error"]].mean()
    middle, height = float(np.log2(means["size"]).mean()), float(means["error"].mean())
    grid = np.geomspace(means["size"].min(), means["size"].max(), _GRID)
    away = np.log2(grid) - middle
    ax.plot(
        grid / unit, height + one.slope * away, color=style.color, linestyle=style.linestyle
    )
    said = f"slope {one.slope:+.2f} per doubling"
    if np.isnan(one.low):
        return said
    ends = np.array([height + end * away for end in (one.low, one.high)])
    ax.fill_between(
        grid / unit, ends.min(axis=0), ends.max(axis=0), color=style.color, alpha=_BAND,
        linewidth=0,
    )  # fmt: skip
    return f"{said} ({one.low:+.2f} to {one.high:+.2f})"


def _draw_points(
    ax: Axes, members: pd.DataFrame, style: Mark, *, unit: float, label: str
) -> None:
    ax.plot(
        members["size"] / unit, members["error"], color=style.color, marker=style.marker,
        markersize=4, linestyle="none", label=label, zorder=3,
    )  # fmt: skip
