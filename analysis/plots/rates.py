"""Draws networks' scores by learning rate, and the best rate by depth."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from analysis.plots.fitting import legend_below
from analysis.plots.style import Mark, drawing, entitle, marks
from analysis.questions.rates import LAW, Rates, Tried
from analysis.runs.scores import lower_is_better, titled
from search.schema.metrics import Objective

_MOST = 7  # networks with a colour of their own; of more, the best and the worst have one
_ENDS = 3  # of these on each side
_TICKS = 8  # values written at an axis
_OTHERS = Mark("0.7", ".", "-")


def draw_rates(found: Tried, answer: Rates, ranking: Objective, *, title: str) -> Figure:
    """Draw a curve per network over the rates, and beside it best rates over effective depth.

    Args:
        found: from `analysis.questions.rates.tried`.
        answer: from `compared` of `found`.
        ranking: the metric by which rates are chosen.
        title: title of the figure, which describes the run.
    """
    deep = found.depths is not None
    styles = _styles(found)
    with drawing(1 + deep, width=5.2, height=4.4) as (figure, axes):
        _curves(axes[0], found, ranking, styles)
        if found.depths is not None:
            _best(axes[1], found, answer, styles)
        entitle(figure, title)
        legend_below(figure, axes[0].get_legend_handles_labels(), columns=3)
    return figure


def _styles(found: Tried) -> dict[str, Mark]:
    """How each network is drawn: where there are many, those between the ends are grey."""
    if len(found.names) <= _MOST:
        return marks(found.names)
    order = found.validation.mean(axis=2).min(axis=1).argsort()
    ends = [found.names[at] for at in (*order[:_ENDS], *order[-_ENDS:])]
    return dict.fromkeys(found.names, _OTHERS) | marks(ends)


def _curves(ax: Axes, found: Tried, ranking: Objective, styles: dict[str, Mark]) -> None:
    sign = 1 if lower_is_better(ranking) else -1
    grey = sum(style is _OTHERS for style in styles.values())
    for at, name in enumerate(found.names):
        style = styles[name]
        own, label = style is not _OTHERS, name
        if not own:  # one entry of the legend for all of them
            label, grey = f"{grey} between them" if grey else "", 0
        values = sign * found.validation[at]
        mean = values.mean(axis=1)
        best = found.validation[at].mean(axis=1).argmin()
        ax.plot(
            found.rates, mean, color=style.color, linestyle=style.linestyle,
            label=label or None, zorder=1 + own,
        )  # fmt: skip
        for seed in values.T if own else ():
            ax.plot(found.rates, seed, ".", color=style.color, alpha=0.35, markersize=4)
        ax.plot(
            found.rates[best], mean[best], style.marker, color=style.color,
            markersize=9 if own else 7, markeredgecolor="black" if own else style.color,
            zorder=2 + own,
        )  # fmt: skip
    ax.set_xscale("log")
    _write(ax.xaxis, found.rates, "{:.2g}")
    ax.set_xlabel("learning rate; a large mark is the best of a network")
    ax.set_ylabel(titled(ranking))


def _best(ax: Axes, found: Tried, answer: Rates, styles: dict[str, Mark]) -> None:
    depths = np.array(found.depths, dtype=float)
    table = answer.table
    for at, name in enumerate(found.names):
        own = styles[name] is not _OTHERS
        ax.plot(
            depths[at], table["best_rate"][at], styles[name].marker, color=styles[name].color,
            markersize=9 if own else 7, markeredgecolor="black" if own else "0.7",
            zorder=1 + own,
        )  # fmt: skip
    ax.plot(depths, table["rule_rate"], "--", color="0.3", label=f"the law: depth^{LAW:g}")
    ax.axhline(answer.common, color="0.3", linestyle=":", label="the best for all")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("effective depth (layers and additions of the shortest path)")
    ax.set_ylabel("best learning rate")
    _write(ax.xaxis, np.unique(depths), "{:.0f}")
    _write(ax.yaxis, np.unique([*table["best_rate"], answer.common]), "{:.3g}")
    ax.legend(fontsize="small")


def _write(axis: Axis, values: np.ndarray, form: str) -> None:
    """Write the values at an axis; of many, some that are far enough apart on a log axis."""
    if len(values) > _TICKS:
        even = np.geomspace(values[0], values[-1], _TICKS)
        values = np.unique([values[np.abs(values - one).argmin()] for one in even])
    axis.set_ticks(values, [form.format(one) for one in values], fontsize="small")
    axis.set_ticks([], minor=True)
