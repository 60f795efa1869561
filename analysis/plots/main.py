"""Draws accuracy against cost, the series of Fig. 5 and what compares them, from tables."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.plots.style import drawing, log_if_wide, marks, nothing, unit_of
from analysis.questions.equal_size import ALL_SIZES
from analysis.questions.series import BASE, DIMENSIONS

_ROOM = 0.8  # of the range of the means, above and below them
_MANY = 500  # points beyond which a vector file would hold one element each


def draw_accuracy_vs_macs(points: pd.DataFrame, *, title: str) -> Figure:
    """Accuracy against multiply-adds: colour is scale, shape is cardinality or skeleton.

    Args:
        points: from `analysis.runs.pareto.accuracy_vs_macs`.
        title: what the study was: data, trials, epochs.
    """
    with drawing(width=8, height=5) as (figure, (ax,)):
        _draw_points(points, ax)
        _draw_front(points[points["on_front"]], ax)
        log_if_wide(ax, points["macs_m"])
        ax.set_xlabel("multiply-adds per image (millions)")
        ax.set_ylabel("validation accuracy (% top-1)")
        ax.set_title(title, loc="left")
        if len(points):
            ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        else:
            nothing(ax, "no trial has a validation error")
    return figure


def draw_series(summary: pd.DataFrame, *, printed: pd.DataFrame, title: str) -> Figure:
    """The paper's Fig. 5: precision against parameters and against multiply-adds.

    Args:
        summary: from `analysis.questions.series.summary`.
        printed: from `analysis.questions.series.printed`: what the paper says, drawn apart.
        title: what the run was.
    """
    with drawing(2) as (figure, axes):
        for ax, size, said in zip(
            axes, ("params", "macs"), ("parameters", "multiply-adds per image"), strict=True
        ):
            unit, letter = unit_of(summary[size])
            _draw_lines(summary, ax, size=size, unit=unit)
            _cut(summary, ax)
            if len(printed):
                ax.scatter(
                    printed[size] / unit,
                    printed["precision_pct"],
                    marker="*",
                    s=130,
                    facecolors="none",
                    edgecolors="black",
                    zorder=4,
                    label="printed in the paper (Table 4)",
                )
            ax.set_xlabel(f"{said} ({letter})")
            ax.set_ylabel("test precision (% top-1)")
        axes[0].legend(loc="best", fontsize=8)
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure


def draw_comparisons(compared: pd.DataFrame, *, of: str, title: str) -> Figure:
    """How much more precision a dimension buys than each other one at equal size.

    Args:
        compared: from `analysis.questions.equal_size.comparisons`.
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
        ax.set_xlabel(f"precision of {of} less that of the other (points), 95 % interval")
        ax.set_title(title, loc="left", fontsize=10)
        if not rows:
            nothing(ax, "there is nothing to compare yet")
    return figure


def _cut(summary: pd.DataFrame, ax: Axes) -> None:
    """Keep the axes to where the means are: two seeds' intervals are thirteen times as wide."""
    means = summary["mean"]
    room = _ROOM * max(means.max() - means.min(), 1.0)
    low, high = means.min() - room, means.max() + room
    if summary["low"].min() < low or summary["high"].max() > high:
        ax.set_ylim(low, high)
        ax.set_title("whiskers that leave the axes are cut", loc="right", fontsize=8)


def _draw_lines(summary: pd.DataFrame, ax: Axes, *, size: str, unit: float) -> None:
    """A line for each series from the base, its networks named, whiskers over seeds."""
    styles = marks(DIMENSIONS)
    base = summary[summary["series"] == BASE]
    for name in [one for one in DIMENSIONS if one in set(summary["series"])]:
        members = pd.concat([base, summary[summary["series"] == name]]).sort_values(size)
        style, x = styles[name], members[size] / unit
        ax.plot(x, members["mean"], color=style.color, linestyle=style.linestyle, zorder=2)
        mine = members[members["series"] == name]
        _draw_means(
            mine, mine[size] / unit, ax, color=style.color, marker=style.marker, label=name
        )
        for at, row in zip(mine[size] / unit, mine.to_dict("records"), strict=True):
            _name(ax, (at, row["mean"]), row["label"], color=style.color, above=name != "scale")
    _draw_means(base, base[size] / unit, ax, color="black", marker="o", label="base")
    for at, row in zip(base[size] / unit, base.to_dict("records"), strict=True):
        _name(ax, (at, row["mean"]), row["label"], color="black", above=False)


def _draw_means(
    rows: pd.DataFrame, x: pd.Series, ax: Axes, *, color: str, marker: str, label: str
) -> None:
    reach = np.array([rows["mean"] - rows["low"], rows["high"] - rows["mean"]])
    ax.errorbar(
        x,
        rows["mean"],
        yerr=reach,  # of one seed NaN, which draws nothing
        fmt=marker,
        color=color,
        capsize=2.5,
        linewidth=1,
        markersize=5.5,
        label=label,
        zorder=3,
    )


def _name(ax: Axes, at: tuple[float, float], text: str, *, color: str, above: bool) -> None:
    ax.annotate(
        text,
        at,
        xytext=(5, 4) if above else (5, -11),
        textcoords="offset points",
        fontsize=7.5,
        color=color,
        bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.5},
    )


def _draw_points(points: pd.DataFrame, ax: Axes) -> None:
    whole, stopped = points[points["whole"]], points[~points["whole"]]
    raster = len(points) > _MANY
    baseline = whole[whole["mean_scale"] == 1]
    if len(baseline) and not raster:
        ax.scatter(
            baseline["macs_m"],
            baseline["accuracy_pct"],
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
            stopped["macs_m"],
            stopped["accuracy_pct"],
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
    sns.scatterplot(
        named.astype({hue: int}) if same else named,
        x="macs_m",
        y="accuracy_pct",
        hue=hue,
        style="skeleton" if len(set(whole["skeleton"])) > 1 else "card.",
        palette="crest",
        hue_norm=(1, max(float(whole["mean_scale"].max()), 2)),
        legend="full" if same else "brief",
        s=12 if raster else 70,
        rasterized=raster,
        ax=ax,
    )


def _draw_front(front: pd.DataFrame, ax: Axes) -> None:
    """The best accuracy up to each cost, as steps; the networks that make it by name."""
    if front.empty:
        return
    if len(front) > 1:
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
    best = front.iloc[-1]
    low, high = ax.get_xlim()
    ax.margins(y=0.12)
    ax.annotate(
        best["name"],
        (best["macs_m"], best["accuracy_pct"]),
        xytext=(0, 9),
        textcoords="offset points",
        ha="left" if best["macs_m"] < (low + high) / 2 else "right",
        fontsize=8,
    )
