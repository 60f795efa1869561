"""Draws shares that rise in steps, such as score distributions, with their bands."""

import pandas as pd
from matplotlib.axes import Axes

from analysis.plots.style import Mark


def draw_steps(ax: Axes, rows: pd.DataFrame, share: str, *, style: Mark, label: str) -> None:
    """Draw one step curve and the band around it.

    Args:
        ax: axes to draw in.
        rows: `value`, the share in its column, `low` and `high` (no band where missing).
        share: name of the column with the share.
        style: style of the series.
        label: its label in the legend.
    """
    low, high = rows["low"].astype(float), rows["high"].astype(float)
    ax.fill_between(
        rows["value"], low, high, step="post", color=style.color, alpha=0.13, linewidth=0
    )
    ax.step(
        rows["value"], rows[share], where="post", color=style.color,
        linestyle=style.linestyle, label=label,
    )  # fmt: skip
