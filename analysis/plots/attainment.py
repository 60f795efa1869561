"""Draws which trade-offs a quarter, half and three quarters of the seeds attain."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.plots.cost_axis import labelled
from analysis.plots.fitting import legend_below
from analysis.plots.style import drawing, entitle, log_if_wide, marks
from analysis.questions.attainment import SHARES, Attained
from analysis.runs.scores import score_of

_MANY = 500  # beyond this many points, rasterise instead of one vector element each


def draw_attainment(found: Attained, *, title: str) -> Figure:
    """Draw step lines; what lies beyond a line is attained by at least that share of seeds.

    Args:
        found: from `analysis.questions.attainment.attained`.
        title: title of the figure, which describes the run.
    """
    across, ranking = found.objectives
    score = score_of(ranking)
    unit, label = labelled(across, found.trials[across.column])
    styles = marks([f"{share:.0%}" for share in SHARES])
    with drawing(width=8.6, height=4.6) as (figure, (ax,)):
        ax.scatter(
            found.trials[across.column] / unit, score.of(found.trials[ranking.column]),
            s=14, color="0.6", label="a network with a seed",
            rasterized=len(found.trials) > _MANY,
        )  # fmt: skip
        for name, share in zip(styles, SHARES, strict=True):
            rows = found.surfaces[found.surfaces["share"] == share]
            x, y = _steps(
                rows[across.column], rows[ranking.column], found.trials[across.column]
            )
            ax.plot(
                x / unit, score.of(pd.Series(y)), color=styles[name].color,
                linestyle=styles[name].linestyle,
                label=f"{name} of {found.seeds} seeds attain it",
            )  # fmt: skip
        log_if_wide(ax, found.trials[across.column] / unit)
        ax.set_xlabel(label)
        ax.set_ylabel(score.label)
        entitle(figure, title)
        legend_below(figure, columns=2)
    return figure


def _steps(x: pd.Series, y: pd.Series, reach: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """The line through the corners of a surface, extended to the most expensive network.

    From each corner, its second number stays the same up to the next corner, while the first
    gets worse.
    """
    rising = len(x) < 2 or x.iloc[-1] > x.iloc[0]
    last = reach.max() if rising else reach.min()
    return np.append(np.repeat(x.to_numpy(), 2)[1:], last), np.repeat(y.to_numpy(), 2)
