"""Plots, each as two functions: one makes the table, one draws it."""

from typing import Any

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

STYLE: dict[Any, Any] = {
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 10,
    "savefig.dpi": 150,
}
_WIDE = 3.0  # costs that differ by more than this factor are shown on a log axis


def accuracy_vs_macs(trials: pd.DataFrame) -> pd.DataFrame:
    """Every trial of the search with an accuracy, and which of them nothing beats.

    Args:
        trials: from `analysis.tables.trials`.

    Returns:
        The rows with a validation error, by rising MACs, and the columns `macs_m` (millions),
        `accuracy_pct`, `mean_scale` (over the stages), `whole` (trained to the end) and
        `on_front` (of the whole ones: no other has as few MACs and as low an error, one of
        them lower).
    """
    shown = trials[(trials["phase"] == "search") & trials["val_error_pct"].notna()].copy()
    shown["macs_m"] = shown["macs"] / 1e6
    shown["accuracy_pct"] = 100 - shown["val_error_pct"]
    shown["whole"] = shown["status"] == "ok"
    shown["mean_scale"] = [_mean(scale) for scale in shown["scale"]]
    shown = shown.sort_values(["macs", "val_error_pct", "trial"])
    shown["on_front"] = False
    best = (float("inf"), 0)  # error and MACs of the last network on the front
    for index, row in shown[shown["whole"]].iterrows():
        here = (row["val_error_pct"], row["macs"])
        if here[0] < best[0] or here == best:
            best = here
            shown.loc[index, "on_front"] = True
    return shown.reset_index(drop=True)


def draw_accuracy_vs_macs(points: pd.DataFrame, *, title: str) -> Figure:
    """Accuracy against multiply-adds: colour is scale, shape is cardinality or skeleton.

    Args:
        points: from `accuracy_vs_macs`.
        title: what the study was: data, trials, epochs.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8, 5), layout="constrained")
        ax = figure.subplots()
        _draw_points(points, ax)
        _draw_front(points[points["on_front"]], ax)
        if len(points) and points["macs_m"].max() > _WIDE * points["macs_m"].min():
            ax.set_xscale("log")
            ax.xaxis.set_major_locator(mpl.ticker.LogLocator(subs=(1, 2, 5)))
            ax.xaxis.set_major_formatter("{x:g}")
            ax.xaxis.set_minor_formatter(mpl.ticker.NullFormatter())
        ax.set_xlabel("multiply-adds per image (millions)")
        ax.set_ylabel("validation accuracy (% top-1)")
        ax.set_title(title, loc="left")
        if len(points):
            ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
        else:
            ax.text(
                0.5, 0.5, "no trial has a validation error", ha="center", transform=ax.transAxes
            )
    return figure


def _mean(scale: object) -> float:
    """Of a scale as tables have it: 4, or 1.2.4 for one each stage."""
    numbers = [int(number) for number in str(scale).split(".")]
    return sum(numbers) / len(numbers)


def _draw_points(points: pd.DataFrame, ax: Axes) -> None:
    whole, stopped = points[points["whole"]], points[~points["whole"]]
    baseline = whole[whole["mean_scale"] == 1]
    ax.scatter(
        baseline["macs_m"],
        baseline["accuracy_pct"],
        s=190,
        facecolors="none",
        edgecolors="black",
        linewidths=1.2,
        label="scale 1: ResNet, ResNeXt" if len(baseline) else None,
    )
    if len(whole):
        same = all(isinstance(scale, int) for scale in whole["scale"])
        hue = "scale" if same else "mean scale of the stages"
        names = {"cardinality": "card.", "mean_scale": hue}
        named = whole.drop(columns="scale").rename(columns=names)
        sns.scatterplot(
            named.astype({hue: int}) if same else named,
            x="macs_m",
            y="accuracy_pct",
            hue=hue,
            style="skeleton" if len(set(whole["skeleton"])) > 1 else "card.",
            palette="crest",
            hue_norm=(1, max(float(whole["mean_scale"].max()), 2)),
            legend="full" if same else "brief",
            s=70,
            ax=ax,
        )
    if len(stopped):
        ax.scatter(
            stopped["macs_m"],
            stopped["accuracy_pct"],
            s=25,
            c="0.6",
            marker="x",
            label="stopped early, at that epoch",
        )


def _draw_front(front: pd.DataFrame, ax: Axes) -> None:
    """The best accuracy up to each cost, as steps; the networks that make it by name."""
    if front.empty:
        return
    if len(front) > 1:
        _draw_steps(front, ax)
    best = front.iloc[-1]
    ax.margins(y=0.12)
    ax.annotate(
        best["name"],
        (best["macs_m"], best["accuracy_pct"]),
        xytext=(0, 9),
        textcoords="offset points",
        ha="left" if _in_left_half(best["macs_m"], ax) else "right",
        fontsize=8,
    )


def _draw_steps(front: pd.DataFrame, ax: Axes) -> None:
    ax.step(
        front["macs_m"],
        front["accuracy_pct"],
        where="post",
        color="0.3",
        linewidth=1,
        linestyle="--",
        label="Pareto front",
        zorder=0,
    )


def _in_left_half(x: float, ax: Axes) -> bool:
    """Where a label to the left of a point would leave the axes."""
    low, high = ax.get_xlim()
    return x < (low + high) / 2
