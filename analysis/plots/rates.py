"""Draws networks' scores by learning rate, and the best rate by depth."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.plots.style import drawing, entitle, marks
from analysis.questions.rates import LAW, Rates, Tried
from analysis.runs.scores import lower_is_better, titled
from search.schema.metrics import Objective


def draw_rates(found: Tried, answer: Rates, ranking: Objective, *, title: str) -> Figure:
    """Draw a curve per network over the rates, and beside it best rates over effective depth.

    Args:
        found: from `analysis.questions.rates.tried`.
        answer: from `compared` of `found`.
        ranking: the metric by which rates are chosen.
        title: title of the figure, which describes the run.
    """
    deep = found.depths is not None
    with drawing(1 + deep, width=5.2, height=4.4) as (figure, axes):
        _curves(axes[0], found, ranking)
        if found.depths is not None:
            _best(axes[1], found, answer)
        entitle(figure, title)
        figure.legend(
            *axes[0].get_legend_handles_labels(), loc="outside lower left", ncols=3,
            fontsize="small",
        )  # fmt: skip
    return figure


def _curves(ax: Axes, found: Tried, ranking: Objective) -> None:
    sign = 1 if lower_is_better(ranking) else -1
    for at, (name, style) in enumerate(marks(list(found.names)).items()):
        values = sign * found.validation[at]
        mean = values.mean(axis=1)
        best = found.validation[at].mean(axis=1).argmin()
        ax.plot(found.rates, mean, color=style.color, linestyle=style.linestyle, label=name)
        for seed in values.T:
            ax.plot(found.rates, seed, ".", color=style.color, alpha=0.35, markersize=4)
        ax.plot(
            found.rates[best], mean[best], style.marker, color=style.color, markersize=9,
            markeredgecolor="black",
        )  # fmt: skip
    ax.set_xscale("log")
    ax.set_xticks(found.rates, [f"{rate:.2g}" for rate in found.rates], fontsize="small")
    ax.minorticks_off()
    ax.set_xlabel("learning rate; a large mark is the best of a network")
    ax.set_ylabel(titled(ranking))


def _best(ax: Axes, found: Tried, answer: Rates) -> None:
    depths = np.array(found.depths, dtype=float)
    table = answer.table
    for at, style in enumerate(marks(list(found.names)).values()):
        ax.plot(
            depths[at], table["best_rate"][at], style.marker, color=style.color, markersize=9,
            markeredgecolor="black",
        )  # fmt: skip
    ax.plot(depths, table["rule_rate"], "--", color="0.3", label=f"the law: depth^{LAW:g}")
    ax.axhline(answer.common, color="0.3", linestyle=":", label="the best for all")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("effective depth (layers and additions of the shortest path)")
    ax.set_ylabel("best learning rate")
    ax.set_xticks(depths, [f"{depth:.0f}" for depth in depths], minor=False)
    shown = sorted({*table["best_rate"], answer.common})
    ax.set_yticks(shown, [f"{rate:.3g}" for rate in shown], minor=False)
    ax.minorticks_off()
    ax.legend(fontsize="small")
