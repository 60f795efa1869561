"""Draws networks by cost and score, with their Pareto front, from `analysis.runs.networks`."""

from collections.abc import Sequence

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.plots.style import drawing, log_if_wide, nothing, unit_of
from analysis.runs.pareto import cost_axis
from analysis.runs.scores import score_of, words
from search.schema.metrics import Objective

_MANY = 500  # points beyond which a vector file would hold one element each
_X, _Y = "_cost", "_score"
_PER_IMAGE = ("macs", "activations")


def draw_pareto(points: pd.DataFrame, objectives: Sequence[Objective], *, title: str) -> Figure:
    """What ranks against a cost: colour is scale, shape is cardinality or skeleton.

    What ranks is the first objective that trials report, the cost the first that is counted,
    else multiply-adds. Where these two are all, the front is a line of steps; of others, which
    one picture cannot show, its networks are ringed.

    Args:
        points: from `analysis.runs.networks.by_network`.
        objectives: of the front: `run.compared`.
        title: what the study was: data, trials, epochs.
    """
    ranking = next(one for one in objectives if one.source == "reported")
    cost, score = cost_axis(objectives), score_of(ranking)
    unit, letter = unit_of(points[cost.column])
    shown = points.assign(**{_X: points[cost.column] / unit})
    shown[_Y] = score.of(points[ranking.column])
    with drawing(width=8, height=5) as (figure, (ax,)):
        _draw_points(shown, ax)
        front = shown[shown["on_front"].astype(bool)]
        if {one.name for one in objectives} == {cost.name, ranking.name}:
            _draw_steps(front, ax, rising=cost.direction == "minimize")
        else:
            _draw_rings(front, ax)
        _name_best(front, ax, more_is_better=score.more_is_better)
        log_if_wide(ax, shown[_X])
        each = " per image" if cost.name in _PER_IMAGE else ""
        ax.set_xlabel(f"{words(cost)}{each}{f' ({letter})' * bool(letter)}")
        ax.set_ylabel(score.label)
        ax.set_title(title, loc="left")
        if len(points):
            ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        else:
            nothing(ax, f"no trial has a {words(ranking)}")
    return figure


def _draw_points(points: pd.DataFrame, ax: Axes) -> None:
    ended = points["whole"].astype(bool)
    whole, stopped = points[ended], points[~ended]
    raster = len(points) > _MANY
    baseline = whole[whole["mean_scale"] == 1]
    if len(baseline) and not raster:
        ax.scatter(
            baseline[_X],
            baseline[_Y],
            s=190,
            facecolors="none",
            edgecolors="black",
            linewidths=1.2,
            label="scale 1: ResNet, ResNeXt",
        )
    if len(whole):
        _draw_whole(whole, ax, raster=raster)
    if len(stopped):
        ax.scatter(
            stopped[_X],
            stopped[_Y],
            s=25,
            c="0.6",
            marker="x",
            label="stopped early, at that epoch",
            rasterized=raster,
        )


def _draw_whole(whole: pd.DataFrame, ax: Axes, *, raster: bool) -> None:
    same = all(isinstance(scale, int) for scale in whole["scale"])
    hue = "scale" if same else "mean scale of the stages"
    names = {"cardinality": "card.", "mean_scale": hue}
    named = whole.drop(columns="scale").rename(columns=names)
    # A label that begins with _ is none to matplotlib: a file of somebody's may be called so.
    named["skeleton"] = ["\u200b" * name.startswith("_") + name for name in named["skeleton"]]
    sns.scatterplot(
        named.astype({hue: int}) if same else named,
        x=_X,
        y=_Y,
        hue=hue,
        style="skeleton" if len(set(whole["skeleton"])) > 1 else "card.",
        palette="crest",
        hue_norm=(1, max(float(whole["mean_scale"].max()), 2)),
        legend="full" if same else "brief",
        s=12 if raster else 70,
        rasterized=raster,
        ax=ax,
    )


def _draw_steps(front: pd.DataFrame, ax: Axes, *, rising: bool) -> None:
    """The best score up to each cost, as steps."""
    if len(front) < 2:
        return
    ax.step(
        front[_X],
        front[_Y],
        where="post" if rising else "pre",
        color="0.3",
        linewidth=1,
        linestyle="--",
        label="Pareto front",
        zorder=0,
    )


def _draw_rings(front: pd.DataFrame, ax: Axes) -> None:
    """Networks of a front of other objectives than the two axes."""
    if len(front):
        ax.scatter(
            front[_X],
            front[_Y],
            s=120,
            facecolors="none",
            edgecolors="0.3",
            linestyle="--",
            linewidths=1.2,
            label="Pareto front",
        )


def _name_best(front: pd.DataFrame, ax: Axes, *, more_is_better: bool) -> None:
    """The best network by name."""
    if front.empty:
        return
    best = front.sort_values(_Y, ascending=not more_is_better, kind="stable").iloc[0]
    low, high = ax.get_xlim()
    ax.margins(y=0.12)
    ax.annotate(
        best["name"],
        (best[_X], best[_Y]),
        xytext=(0, 9),
        textcoords="offset points",
        ha="left" if best[_X] < (low + high) / 2 else "right",
        fontsize=8,
    )
