"""Draws what searches had found by trials and by device-hours."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.plots.fitting import legend_below
from analysis.plots.style import entitle, marks, panelled
from analysis.runs.scores import titled, words
from search.schema.metrics import Objective

_SPENT = (("trials", "trials ended"), ("hours", "{kind}-hours"))


def draw_anytime(
    found: pd.DataFrame, ranking: Objective, cost: Objective, *, kind: str, title: str
) -> Figure:
    """Draw the best so far and the hypervolume against trials and against device-hours.

    Args:
        found: from `analysis.questions.anytime.anytime`.
        ranking: the ranking metric: `run.ranking`.
        cost: cost used in the hypervolume: `run.cost_axis`.
        kind: kind of device: GPU or CPU.
        title: title of the figure, which describes the runs.
    """
    styles = marks(list(dict.fromkeys(found["label"])))
    with panelled(4, most=2, height=2.8) as (figure, axes):
        for ax, (spent, name) in zip(axes, _SPENT * 2, strict=True):
            best = ax in axes[:2]
            for label, rows in found.groupby("label", sort=False):
                style = styles[str(label)]
                if best and spent == "trials" and len(styles) == 1:
                    _draw_orders(rows, ax)
                ax.step(
                    rows[spent], rows["best" if best else "hypervolume"], where="post",
                    color=style.color, linestyle=style.linestyle, label=label, zorder=3,
                )  # fmt: skip
            ax.set_xlabel(name.format(kind=kind))
            ax.set_xlim(left=0)
        for left, right in (axes[:2], axes[2:]):
            right.set_ylim(left.get_ylim())
        axes[0].set_ylabel(f"best {titled(ranking)}")
        axes[2].set_ylabel(f"hypervolume of {words(ranking)}\nand {words(cost)}")
        entitle(figure, title)
        handles, labels = axes[0].get_legend_handles_labels()
        legend_below(figure, (handles, labels), columns=3)
    return figure


def _draw_orders(rows: pd.DataFrame, ax: Axes) -> None:
    """Draw the range of random orders; those of several runs would hide each other."""
    if rows["low"].isna().all():
        return
    ax.fill_between(
        rows["trials"], rows["low"].astype(float), rows["high"].astype(float), step="post",
        color="0.87", linewidth=0, label="90 % of random orders", zorder=1,
    )  # fmt: skip
