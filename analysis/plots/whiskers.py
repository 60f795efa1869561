"""Draws what seeds say of points: whiskers over them, and where fresh ones moved them to."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

WHISKER: dict[str, Any] = {
    "fmt": "none",
    "capsize": 2.5,
    "elinewidth": 1,
    "ecolor": "0.55",
    "zorder": 1,
}
_ASIDE = 11 / 72  # inches from a network to its confirmation, whose whiskers would cross


def draw_whiskers(
    ax: Axes, x: pd.Series, y: pd.Series, low: pd.Series, high: pd.Series, **style: Any
) -> None:
    """Intervals of points; none where one is missing.

    Args:
        ax: to draw in.
        x: of the points.
        y: of the points.
        low: lower ends.
        high: upper ends.
        style: of matplotlib's errorbar.
    """
    known = low.notna() & high.notna()
    if not known.any():
        return
    reach = np.array([(y - low)[known], (high - y)[known]])
    ax.errorbar(x[known], y[known], yerr=reach, **(WHISKER | style))


def draw_confirmed(
    ax: Axes,
    x: pd.Series,
    y: pd.Series,
    confirmed: pd.DataFrame,
    *,
    label: str,
    form: str,
) -> None:
    """Beside each network that was confirmed its new mean, an arrow to it and the change.

    Args:
        ax: with the networks.
        x: of the confirmed networks.
        y: their means in the search.
        confirmed: of the same rows: `mean`, `low` and `high` over the fresh seeds, as shown.
        label: of them in the legend.
        form: of a change, as `format` takes it.
    """
    aside = ax.transData + ScaledTranslation(_ASIDE, 0, ax.figure.dpi_scale_trans)
    ax.plot(
        x, confirmed["mean"], "D", markersize=7, markerfacecolor="white",
        markeredgecolor="black", linestyle="none", label=label, transform=aside, zorder=4,
    )  # fmt: skip
    draw_whiskers(
        ax, x, confirmed["mean"], confirmed["low"], confirmed["high"],
        ecolor="black", transform=aside, zorder=3,
    )  # fmt: skip
    # What lies aside of its place is none of the axes' data to matplotlib.
    for heights in (confirmed["mean"], confirmed["low"], confirmed["high"]):
        known = heights.notna()
        ax.update_datalim(np.column_stack([x[known], heights[known]]))
    ax.autoscale_view()
    rows = zip(x, y, confirmed["mean"], strict=True)
    for at, before, after in rows:
        ax.annotate(
            "",
            (at, after),
            xycoords=aside,
            xytext=(at, before),
            textcoords="data",
            arrowprops={"arrowstyle": "-", "color": "black", "linewidth": 0.8},
            zorder=2,
        )
        ax.annotate(
            f"{after - before:{form}}",
            (at, after),
            xycoords=aside,
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            fontsize="small",
            zorder=5,
        )
