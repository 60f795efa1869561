"""Draws what a dimension gains for objects of each size."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.plots.fitting import legend_below
from analysis.plots.style import Mark, cut_whiskers, drawing, entitle, marks, spread_of
from analysis.questions.object_sizes import GROWTH, Sized

_FAR = 10  # times the span of the gains; wider intervals would hide them
_APART = 0.6  # share of a size's room used by its values


def draw_object_sizes(found: Sized, *, title: str) -> Figure:
    """Draw the gain of each value by object size, and beside it how much it grows.

    Args:
        found: from `analysis.questions.object_sizes.by_object_size`.
        title: title of the figure, which describes the run.
    """
    table = found.table
    sizes = list(dict.fromkeys(table["size"]))
    styles = marks(list(dict.fromkeys(table["value"])))
    with drawing(width=7.2, height=4.2) as (figure, (ax,)):
        for at, (value, style) in enumerate(styles.items()):
            aside = _APART * ((at + 0.5) / len(styles) - 0.5)
            rows = table[table["value"] == value]
            places = np.array([sizes.index(size) for size in rows["size"]]) + aside
            label = f"{found.dimension} {value} minus {rows['against'].iloc[0]}"
            _draw_value(ax, rows, places, style, label)
        ax.axhline(0, color="0.3", linewidth=1)
        if GROWTH in sizes:
            ax.axvline(sizes.index(GROWTH) - 0.5, color="0.6", linestyle=":", linewidth=1)
        ax.set_xticks(range(len(sizes)), [_named(size) for size in sizes])
        ax.set_xlim(-0.6, len(sizes) - 0.4)
        gains, low, high = (table[key] for key in ("difference", "low_all", "high_all"))
        unit = found.score.unit
        far = bool((high - low).max() > _FAR * spread_of(gains, unit))
        wider = far and cut_whiskers(ax, gains, low, high, unit=unit)
        cut = "; some are wider than the axes" if wider else ""
        ax.set_xlabel(f"size of objects; thick: 95 % interval alone, thin: all at once{cut}")
        gained = "gained" if found.score.more_is_better else "by which it falls"
        ax.set_ylabel(f"{found.score.difference} {gained},\nat equal multiply-adds")
        entitle(figure, title)
        legend_below(figure, columns=3)
    return figure


def _draw_value(
    ax: Axes, rows: pd.DataFrame, places: np.ndarray, style: Mark, label: str
) -> None:
    for ends, thick in (("_all", 1), ("", 3)):
        low, high = rows[f"low{ends}"], rows[f"high{ends}"]
        ax.vlines(places, low, high, color=style.color, linewidth=thick)
    ax.plot(
        places, rows["difference"], style.marker, color=style.color, linestyle="none",
        label=label, zorder=3,
    )  # fmt: skip


def _named(size: str) -> str:
    return "large minus small:" if size == GROWTH else size
