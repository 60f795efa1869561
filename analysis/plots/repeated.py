"""Draws what repeated searches had found after each trial, averaged over repeats."""

import pandas as pd
from matplotlib.figure import Figure

from analysis.plots.fitting import legend_below
from analysis.plots.style import entitle, marks, panelled
from analysis.runs.scores import titled
from search.schema.metrics import Objective


def draw_repeated(curves: pd.DataFrame, ranking: Objective, *, title: str) -> Figure:
    """Draw the mean best so far and hypervolume against trials, with intervals over repeats.

    Args:
        curves: from `analysis.questions.repeated.curves`.
        ranking: the ranking metric: `run.ranking`.
        title: title of the figure, which says what is compared.
    """
    styles = marks(list(dict.fromkeys(curves["search"])))
    with panelled(2, most=2, height=3.4) as (figure, axes):
        for ax, key, ends in zip(axes, ("best", "hypervolume"), ("best", "area"), strict=True):
            for name, style in styles.items():
                rows = curves[curves["search"] == name]
                ax.fill_between(
                    rows["trials"], rows[f"{ends}_low"], rows[f"{ends}_high"], step="post",
                    color=style.color, alpha=0.15, linewidth=0,
                )  # fmt: skip
                ax.step(
                    rows["trials"], rows[key], where="post", color=style.color,
                    linestyle=style.linestyle,
                    label=f"{name}, {rows['repeats'].iloc[0]} repeats",
                )  # fmt: skip
            ax.set_xlabel("trials ended")
            # With three repeats, the first intervals may be many times as wide as the curves.
            values = curves[key]
            room = 0.6 * float(values.max() - values.min() or 1.0)
            ax.set_ylim(values.min() - room, values.max() + room)
        axes[0].set_ylabel(f"mean best {titled(ranking)}")
        axes[1].set_ylabel("mean hypervolume")
        entitle(figure, title)
        legend_below(figure, axes[0].get_legend_handles_labels(), columns=2)
    return figure
