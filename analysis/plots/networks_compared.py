"""Draws mean ranks of networks and groups within the critical difference."""

import numpy as np
from matplotlib.figure import Figure

from analysis.plots.style import drawing, entitle, marks
from analysis.questions.networks_compared import Compared


def draw_networks_compared(compared: Compared, *, title: str) -> Figure:
    """Draw a critical-difference diagram (Demsar 2006), turned: a row per network, best on top.

    Args:
        compared: from `analysis.questions.networks_compared.networks_compared`.
        title: title of the figure, which describes the run.
    """
    table, groups = compared.table, compared.groups
    at = np.arange(len(table))
    style, right = marks([""])[""], float(table["rank"].max())
    step = 0.035 * max(right - 1, 1)
    with drawing(width=8, height=1.5 + 0.27 * len(table)) as (figure, (ax,)):
        ax.hlines(at, 1, table["rank"], color="0.85", linewidth=1, zorder=1)
        ax.plot(table["rank"], at, "o", color=style.color, zorder=3)
        for number, (first, last) in enumerate(groups):
            x = right + step * (1.5 + number)
            ax.plot(
                [x, x], [first - 0.25, last + 0.25], color="black", linewidth=3,
                solid_capstyle="butt", zorder=2,
            )  # fmt: skip
        ax.set_yticks(at, table["name"], fontsize="small")
        ax.set_ylim(len(table) - 0.4, -0.6)
        ax.grid(visible=False, axis="y")
        ax.set_xlim(left=1 - step)
        figure.supxlabel(
            f"mean rank over {compared.ranks.seeds} seeds, 1 is the best; bars on the right "
            "join networks\nthat do not differ by the critical difference, "
            f"{compared.ranks.distance:.2f} ranks",
            fontsize="medium",
        )
        entitle(figure, title)
    return figure
