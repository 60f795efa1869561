"""Draws dimensions compared at equal size from `analysis.questions.equal_size`."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.plots.style import drawing, marks, nothing
from analysis.questions.equal_size import ALL_SIZES
from analysis.runs.scores import Score, with_unit
from search.design.contrasts import DIMENSIONS
from search.schema.metrics import PERCENT


def draw_comparisons(compared: pd.DataFrame, score: Score, *, of: str, title: str) -> Figure:
    """How much more a dimension buys than each other one at equal size.

    Args:
        compared: from `analysis.questions.equal_size.comparisons`.
        score: what was compared: `run.score`.
        of: the dimension that was compared.
        title: what the run was, and what was equal.
    """
    with drawing(width=7.5, height=1.6 + 0.28 * max(len(compared), 3)) as (figure, (ax,)):
        styles = marks(DIMENSIONS)
        rows = list(compared.to_dict("records"))[::-1]
        for place, row in enumerate(rows):
            style = styles[row["against"]]
            whole = row["label"] == ALL_SIZES
            reach = [[row["difference"] - row["low"]], [row["high"] - row["difference"]]]
            ax.errorbar(
                row["difference"],
                place,
                xerr=None if np.isnan(row["low"]) else reach,
                fmt=style.marker,
                color=style.color,
                markersize=9 if whole else 5,
                linewidth=2.4 if whole else 1.2,
                capsize=3,
            )
        ax.axvline(0, color="0.3", linewidth=1)
        ax.set_yticks(range(len(rows)), [f"{r['label']} against {r['against']}" for r in rows])
        unit = "points" if score.unit == PERCENT else score.unit
        said = with_unit(f"{score.name} of {of} less that of the other", unit)
        ax.set_xlabel(f"{said}, 95 % interval")
        ax.set_title(title, loc="left", fontsize=10)
        if not rows:
            nothing(ax, "there is nothing to compare yet")
    return figure
