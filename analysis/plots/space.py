"""Draws a searched space: marginals, importance, and networks as parallel lines."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.plots.steps import draw_steps
from analysis.plots.style import drawing, entitle, marks, nothing, panelled, shades
from analysis.runs.scores import losses, lower_is_better, score_of, titled
from search.schema.metrics import Objective
from search.schema.units import format_amount

_MOST_LINES = 300  # with more, lines hide each other: an even choice is drawn
_MOST_LETTERS = 24  # of all values of a dimension side by side
_ROOM = 0.03  # margin above and below, as a share of the range
_CMAP = "cividis_r"  # uniform in grey and for the colour-blind; dark is good


def draw_marginals(marginals: pd.DataFrame, ranking: Objective, *, title: str) -> Figure:
    """Draw the mean ranking metric over all networks with each value of each dimension.

    Args:
        marginals: from `analysis.questions.marginals.marginals`.
        ranking: the ranking metric: `run.ranking`.
        title: title of the figure, which describes the run.
    """
    dimensions = list(dict.fromkeys(marginals["dimension"])) or ["nothing varied"]
    ends = marginals[["low", "high", "mean"]].to_numpy(dtype=float)
    with panelled(len(dimensions)) as (figure, axes):
        for ax, dimension in zip(axes, dimensions, strict=True):
            rows = marginals[marginals["dimension"] == dimension].reset_index(drop=True)
            _draw_marginal(rows, ax)
            ax.set_xlabel(dimension)
            ax.margins(x=0.2)
            if len(ends):
                low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
                room = _ROOM * (high - low or 1.0)
                ax.set_ylim(low - room, high + room)
        figure.supylabel(f"mean {titled(ranking)}", fontsize="medium")
        entitle(figure, title)
    return figure


def draw_importance(importance: pd.DataFrame, *, title: str) -> Figure:
    """Draw shares of the dimensions by each evaluator as bars with their spread.

    Args:
        importance: from `analysis.questions.importance.importance`.
        title: title of the figure, which describes the run.
    """
    evaluators = list(dict.fromkeys(importance["evaluator"]))
    styles = marks(evaluators)
    order = importance.groupby("dimension", sort=False)["share"].mean().sort_values()
    with drawing(width=6.5, height=1.4 + 0.5 * len(order)) as (figure, (ax,)):
        height = 0.8 / len(evaluators)
        for i, evaluator in enumerate(evaluators):
            rows = importance[importance["evaluator"] == evaluator].set_index("dimension")
            rows = rows.reindex(order.index)
            reach = np.array([rows["share"] - rows["low"], rows["high"] - rows["share"]])
            ax.barh(
                np.arange(len(order)) + i * height,
                rows["share"],
                height=height,
                xerr=np.clip(reach, 0, None),
                color=styles[evaluator].color,
                hatch=("", "//", "..")[i % 3],
                edgecolor="white",
                error_kw={"capsize": 2.5, "linewidth": 1},
                label=evaluator,
            )
        ax.set_yticks(np.arange(len(order)) + 0.4 - height / 2, list(order.index))
        ax.set_xlim(0, 1)
        ax.set_xlabel("share of importance, median and 5 to 95 % of bootstraps over networks")
        entitle(figure, title)
        ax.legend(loc="lower right")
    return figure


def draw_parallel(
    networks: pd.DataFrame, dimensions: tuple[str, ...], ranking: Objective, *, title: str
) -> Figure:
    """Draw each network as a line through its values; better ones are darker and on top.

    Args:
        networks: from `analysis.runs.networks.averaged`.
        dimensions: its dimensions to show from left to right, if they vary.
        ranking: the ranking metric: `run.ranking`.
        title: title of the figure, which describes the run.
    """
    shown = [name for name in dimensions if len(networks[name].unique()) > 1]
    with drawing(width=8.5, height=4) as (figure, (ax,)):
        entitle(figure, title)
        if not shown or networks.empty:
            nothing(ax, "no dimension varied")
            return figure
        lost = losses(ranking, networks["val"])
        lines = _chosen(networks.assign(_lost=lost))
        heights = [
            _heights(networks[name], lines[name], ax, at) for at, name in enumerate(shown)
        ]
        goodness = -lines["_lost"].to_numpy()
        colors = shades(_CMAP)
        norm = mpl.colors.Normalize(goodness.min(), goodness.max())
        for line, good in zip(np.array(heights).T, goodness, strict=True):
            best, place = good == goodness.max(), float(norm(good))
            color = "#D55E00" if best else colors(place)
            ax.plot(line, color=color, linewidth=2.8 if best else 0.7 + 0.9 * place)
        ax.set_xticks(range(len(shown)), shown)
        ax.set_yticks([])
        ax.set_xlim(-0.2, len(shown) - 0.6)
        ax.grid(visible=False)
        scale = mpl.cm.ScalarMappable(norm=norm, cmap=colors)
        score, sign = score_of(ranking), -1 if lower_is_better(ranking) else 1
        bar = figure.colorbar(scale, ax=ax, label=f"{score.label}; thick: the best", pad=0.02)
        bar.ax.yaxis.set_major_formatter(lambda value, _: f"{score.of(sign * value):.4g}")
    return figure


def _draw_marginal(rows: pd.DataFrame, ax: Axes) -> None:
    known = rows["low"].notna()
    at = np.arange(len(rows))
    reach = np.array([rows["mean"] - rows["low"], rows["high"] - rows["mean"]])
    color = marks([""])[""].color
    ax.errorbar(
        at[known], rows["mean"][known], yerr=reach[:, known], fmt="o", color=color, capsize=2.5
    )
    ax.plot(at[~known], rows["mean"][~known], "o", color=color, markerfacecolor="none")
    upright = sum(len(str(value)) + 2 for value in rows["value"]) > _MOST_LETTERS
    labels = [
        f"{row.value}{', ' if upright else chr(10)}n={row.networks}"
        for row in rows.itertuples()
    ]
    ax.set_xticks(at, labels, fontsize="small", rotation=90 if upright else 0)


def _chosen(networks: pd.DataFrame) -> pd.DataFrame:
    """Choose the lines to draw, the worst first, so that the best are on top."""
    ranked = networks.sort_values("_lost", ascending=False)
    if len(ranked) <= _MOST_LINES:
        return ranked
    return ranked.iloc[np.linspace(0, len(ranked) - 1, _MOST_LINES).astype(int)]


def _heights(every: pd.Series, lines: pd.Series, ax: Axes, at: int) -> list[float]:
    """Heights of the lines at a dimension: by rank, or by value for amounts; label values."""
    distinct = sorted(every.unique(), key=lambda value: (isinstance(value, str), value))
    place = {value: i / max(len(distinct) - 1, 1) for i, value in enumerate(distinct)}
    if _is_amount(distinct[-1]):
        span = max(distinct[-1] - distinct[0], 1)
        place = {value: (value - distinct[0]) / span for value in distinct}
        distinct = [distinct[0], distinct[-1]]
    named = distinct if len(distinct) <= 10 else [distinct[0], distinct[-1]]
    ax.axvline(at, color="0.7", linewidth=1, zorder=0)
    for value in named:
        ax.annotate(
            _shown(value),
            (at, place[value]),
            xytext=(4, 3),
            textcoords="offset points",
            fontsize="small",
            bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 0.6},
            zorder=4,
        )
    return [place[value] for value in lines]


def _is_amount(value: object) -> bool:
    """Whether it is an amount (parameters, multiply-adds), not a value of a dimension."""
    return isinstance(value, (int, np.integer)) and int(value) >= 1000


def _shown(value: object) -> str:
    return format_amount(float(str(value))) if _is_amount(value) else str(value)


def draw_distributions(
    distributions: pd.DataFrame, ranking: Objective, *, title: str
) -> Figure:
    """Draw the share of networks at least as good as each value, with 95 % bands.

    Args:
        distributions: from `analysis.questions.distribution.distributions`.
        ranking: the ranking metric: `run.ranking`.
        title: title of the figure, which describes the run.
    """
    styles = marks(["as sampled", "multiply-adds uniform"])
    with drawing(width=7, height=3.8) as (figure, (ax,)):
        for kind, rows in distributions.groupby("kind", sort=False):
            style = styles[str(kind)]
            draw_steps(ax, rows, "fraction", style=style, label=str(kind))
        ax.set_xlabel(titled(ranking))
        ax.set_ylabel("share of the networks as good or better")
        entitle(figure, title)
        if len(distributions):
            ax.legend(loc="lower right" if lower_is_better(ranking) else "lower left")
        else:
            nothing(ax, "fewer than two networks were trained whole")
    return figure
