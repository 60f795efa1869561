"""Draws how well cheap scores rank networks like expensive ones."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.plots.fitting import legend_below
from analysis.plots.style import drawing, entitle, marks
from analysis.plots.whiskers import WHISKER
from analysis.statistics.intervals import Interval


def draw_fidelity(table: pd.DataFrame, noise: Interval | None, *, title: str) -> Figure:
    """Draw Kendall's tau_b of each two scores with its interval, and the noise ceiling.

    Args:
        table: from `analysis.questions.fidelity.fidelity`.
        noise: the noise ceiling, if the seeds allow it.
        title: title of the figure, which describes the run.
    """
    known = table[table["tau"].notna()].reset_index(drop=True)
    at = pd.Series(np.arange(len(known))[::-1], index=known.index, dtype=float)
    style = marks([""])[""]
    with drawing(width=8, height=1.6 + 0.45 * len(known)) as (figure, (ax,)):
        if noise is not None and noise.low is not None and noise.high is not None:
            ax.axvspan(
                noise.low, noise.high, facecolor="0.9", edgecolor="0.75", hatch="//",
                linewidth=0, zorder=0, label="noise ceiling, 95 % interval",
            )  # fmt: skip
            ax.axvline(noise.estimate, color="0.35", linestyle="--", label="noise ceiling")
        sure = known["low"].notna()
        ends = [known["tau"] - known["low"], known["high"] - known["tau"]]
        ax.errorbar(
            known["tau"][sure], at[sure], xerr=[end[sure] for end in ends],
            **(WHISKER | {"ecolor": "0.3"}),
        )  # fmt: skip
        ax.plot(known["tau"], at, "o", color=style.color, label="tau_b, 95 % interval")
        ax.set_yticks(at, known["ranks"])
        ax.set_ylim(-0.6, len(known) - 0.4)
        ax.set_xlim(min(0.0, *known[["tau", "low"]].min()) - 0.04 if len(known) else 0, 1.04)
        ax.axvline(0, color="0.2", linewidth=0.8)
        ax.set_xlabel("Kendall's tau_b: 1 is the same order, 0 is none in common")
        entitle(figure, title)
        legend_below(figure, columns=3)
    return figure
