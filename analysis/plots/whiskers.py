"""Draws whiskers over seeds at points, and how fresh seeds moved the points."""

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
_ASIDE = 11 / 72  # inches between a network and its confirmation: whiskers would cross


def draw_whiskers(
    ax: Axes, x: pd.Series, y: pd.Series, low: pd.Series, high: pd.Series, **style: Any
) -> None:
    """Draw intervals of points, where they exist.

    Args:
        ax: axes to draw in.
        x: x of the points.
        y: y of the points.
        low: lower ends.
        high: upper ends.
        style: style arguments of matplotlib's errorbar.
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
    """Draw the new mean beside each confirmed network, a line to it and the change.

    Args:
        ax: axes with the networks.
        x: x of the confirmed networks.
        y: their means in the search.
        confirmed: for the same rows: `mean`, `low` and `high` over the fresh seeds, as shown.
        label: label of the confirmations in the legend.
        form: format specification of the change.
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
    # matplotlib does not count shifted points as data of the axes.
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
