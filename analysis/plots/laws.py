"""Draws scaling laws: what was measured, what was fitted, and how sure that is."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.plots.style import drawing, log_if_wide, marks, unit_of
from analysis.questions.tradeoffs import Fitted, along
from analysis.runs.scores import titled
from search.design.contrasts import DIMENSIONS
from search.schema.metrics import Objective

_GRID = 60  # places along a curve


def draw_laws(
    points: pd.DataFrame, fitted: Mapping[str, Fitted], tested: Objective, *, title: str
) -> Figure:
    """Error against multiply-adds along each dimension, with its law and band where it has one.

    Args:
        points: from `analysis.questions.series.points`.
        fitted: from `analysis.questions.tradeoffs.laws`.
        tested: the metric, on the test images: `run.tested`.
        title: what the run was.
    """
    styles, (unit, letter) = marks(DIMENSIONS), unit_of(points["macs"])
    with drawing(width=7, height=4.6) as (figure, (ax,)):
        for dimension in (name for name in DIMENSIONS if name in set(points["series"])):
            style, members = styles[dimension], along(points, dimension)
            ax.plot(
                members["size"] / unit, members["error"], style.marker, color=style.color,
                markersize=4,
                label=None if dimension in fitted else f"{dimension}: no law",
            )  # fmt: skip
            if dimension not in fitted:
                continue
            law = fitted[dimension].law
            grid = np.geomspace(law.smallest, law.largest, _GRID)
            band = law.band(grid)
            ax.fill_between(
                grid / unit, band["low"], band["high"], color=style.color, alpha=0.13
            )
            ax.plot(
                grid / unit, band["error"], color=style.color, linestyle=style.linestyle,
                label=f"{dimension}: {law.form.name}",
            )  # fmt: skip
        log_if_wide(ax, points["macs"] / unit)
        ax.set_xlabel(f"multiply-adds per image ({letter})")
        ax.set_ylabel(f"{titled(tested)}; a point a trial")
        ax.set_title(title, loc="left", fontsize=10)
        ax.legend()
    return figure
