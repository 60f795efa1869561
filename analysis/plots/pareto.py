"""Draws networks by cost and score, with their Pareto front, from `analysis.runs.networks`."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.plots.cost_axis import labelled
from analysis.plots.networks import draw_networks
from analysis.plots.style import cut_whiskers, drawing, entitle, log_if_wide, nothing
from analysis.plots.whiskers import WHISKER, draw_confirmed, draw_whiskers
from analysis.questions.knee import Knee
from analysis.runs.pareto import cost_axis
from analysis.runs.scores import Score, score_of, words
from search.schema.metrics import PERCENT, Objective

_MANY = 500  # beyond this many points, rasterise instead of one vector element each
_X, _Y = "_cost", "_score"
_SIDES = ("low", "high")
_SHOWN = (*_SIDES, "confirmed", "confirmed_low", "confirmed_high")
_ENDS = {"mean": "", "low": "_low", "high": "_high"}
_FOOT = 0.03  # bottom of the noise bar, as a share of the height


def draw_pareto(
    points: pd.DataFrame,
    objectives: Sequence[Objective],
    *,
    title: str,
    knee: Knee | None = None,
) -> Figure:
    """Draw score against cost: colour is scale, shape cardinality or skeleton, size depth.

    The score is the first objective that trials report, the cost the first that is counted or
    measured, else multiply-adds. If these are the only two objectives, the front is a step
    line; otherwise, as one figure cannot show the front, its networks are ringed. Networks with
    several seeds have whiskers, and confirmed networks are drawn a second time with the change
    by fresh seeds. A bar shows how far a single seed deviates from the mean by chance.

    Args:
        points: from `analysis.runs.networks.by_network`.
        objectives: objectives of the front: `run.compared`.
        title: title of the figure, which describes the study: data, trials, epochs.
        knee: knee of the front, from `analysis.questions.knee`; marked if the front is a line.
    """
    ranking = next(one for one in objectives if one.source == "reported")
    cost, score = cost_axis(objectives), score_of(ranking)
    unit, label = labelled(cost, points[cost.column])
    shown = _as_shown(points, score, ranking).assign(**{_X: points[cost.column] / unit})
    with drawing(width=8.6, height=5) as (figure, (ax,)):
        _draw_points(shown, ax)
        front = shown[shown["on_front"].astype(bool)]
        if {one.name for one in objectives} == {cost.name, ranking.name}:
            _draw_steps(front, ax, rising=cost.direction == "minimize")
            _draw_knee(front, ax, knee)
        else:
            _draw_rings(front, ax)
        _name_best(front, ax, more_is_better=score.more_is_better)
        _draw_seeds(shown, ax, unit=score.unit)
        log_if_wide(ax, shown[_X])
        if score.unit == PERCENT:
            _keep_to_percent(ax)
        if len(points):
            _draw_noise(ax, float(points.attrs["noise"]), unit=score.unit_of_difference)
        ax.set_xlabel(label)
        ax.set_ylabel(score.label)
        entitle(figure, title)
        if len(points):
            ax.legend(
                loc="center left",
                bbox_to_anchor=(1.01, 0.5),
                fontsize="small",
                labelspacing=0.75,
            )
        else:
            nothing(ax, f"no trial has a {words(ranking)}")
    return figure


def _as_shown(points: pd.DataFrame, score: Score, ranking: Objective) -> pd.DataFrame:
    """Convert the ranking metric to the values shown; for an error this swaps interval ends."""
    shown = points.assign(**{_Y: score.of(points[ranking.column])})
    for column in _SHOWN:
        values = score.of(points[column].astype(float))
        # Student's interval ignores the limits of the scale.
        shown[column] = values.clip(0, 100) if score.unit == PERCENT else values
    if score.complemented:
        for side in ("", "confirmed_"):
            ends = {f"{side}low": f"{side}high", f"{side}high": f"{side}low"}
            shown = shown.rename(columns=ends)
    return shown


def _draw_points(points: pd.DataFrame, ax: Axes) -> None:
    ended = points["whole"].astype(bool)
    whole, stopped = points[ended], points[~ended]
    raster = len(points) > _MANY
    if len(whole):
        draw_networks(whole, whole[_X], whole[_Y], ax, raster=raster)
    baseline = whole[whole["mean_scale"] == 1]
    if len(baseline) and not raster:
        ax.scatter(
            baseline[_X],
            baseline[_Y],
            s=230,
            facecolors="none",
            edgecolors="black",
            linewidths=1.1,
            zorder=3,
            label="scale 1: ResNet, ResNeXt",
        )
    if len(stopped):
        ax.scatter(
            stopped[_X],
            stopped[_Y],
            s=25,
            c="0.45",
            marker="x",
            label="stopped early, at that epoch",
            rasterized=raster,
        )


def _draw_steps(front: pd.DataFrame, ax: Axes, *, rising: bool) -> None:
    """Draw the best score up to each cost as steps."""
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
        zorder=2,
    )


def _draw_knee(front: pd.DataFrame, ax: Axes, knee: Knee | None) -> None:
    """Draw a square around the knee, with its certainty beside it, as the legend is long."""
    at = front[front["name"] == knee.name] if knee else front.head(0)
    if knee is None or at.empty:
        return
    color = "#B24A00"
    ax.plot(
        at[_X], at[_Y], "s", markersize=17, markerfacecolor="none", markeredgecolor=color,
        markeredgewidth=1.6, label="_knee", zorder=4,
    )  # fmt: skip
    ax.annotate(
        knee.label,
        (at[_X].iloc[0], at[_Y].iloc[0]),
        xytext=(11, -11),
        textcoords="offset points",
        va="top",
        color=color,
        fontsize="small",
        bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.5},
        zorder=6,
    )


def _draw_rings(front: pd.DataFrame, ax: Axes) -> None:
    """Ring the networks of a front whose objectives are not just the two axes."""
    if len(front):
        ax.scatter(
            front[_X],
            front[_Y],
            s=230,
            facecolors="none",
            edgecolors="0.3",
            linestyle="--",
            linewidths=1.2,
            label="Pareto front",
        )


def _draw_noise(ax: Axes, noise: float, *, unit: str) -> None:
    """Draw a bar of +-1 standard deviation at the left edge, explained in the legend."""
    if np.isnan(noise):
        ax.scatter([], [], alpha=0, label="one seed each: noise unknown")
        return
    low, high = ax.get_ylim()
    at = low + _FOOT * (high - low) + noise
    amount = " ".join(filter(None, (f"{noise:.3g}", unit)))
    ax.plot(
        [0.015, 0.015], [at - noise, at + noise], color="0.35", linewidth=5,
        solid_capstyle="butt", transform=ax.get_yaxis_transform(), zorder=5,
        label=f"+-1 standard deviation\nof a seed: {amount}",
    )  # fmt: skip
    ax.set_ylim(low, high)


def _draw_seeds(points: pd.DataFrame, ax: Axes, *, unit: str) -> None:
    """Draw whiskers over seeds, and confirmations with theirs."""
    confirmed = points[points["confirmed"].notna()]
    if len(confirmed):
        ax.margins(x=0.14)  # room for the change, written beside its point
        fresh = pd.DataFrame(
            {name: confirmed[f"confirmed{end}"] for name, end in _ENDS.items()}
        )
        form = "+.2f" if unit == PERCENT else "+.3g"
        draw_confirmed(
            ax, confirmed[_X], confirmed[_Y], fresh, label=_fresh(confirmed), form=form
        )
    low, high = (pd.concat([points[end], points[f"confirmed_{end}"]]) for end in _SIDES)
    if low.isna().all():
        return
    drawn = pd.concat([points[_Y], points["confirmed"]])
    cut = cut_whiskers(ax, drawn, low, high, unit=unit)
    said = "95 % interval over seeds" + ("\n(cut where it leaves the axes)" if cut else "")
    raster = len(points) > _MANY
    draw_whiskers(ax, points[_X], points[_Y], points["low"], points["high"], rasterized=raster)
    # Always added, because it also explains the whiskers of confirmations.
    ax.errorbar([], [], yerr=[], **WHISKER, label=said)


def _fresh(confirmed: pd.DataFrame) -> str:
    """Describe confirmations for the legend."""
    seeds = _span(confirmed["confirmed_seeds"], "fresh seeds")
    epochs = _span(confirmed["confirmed_epochs"], "epochs")
    return f"confirmed with {seeds}\nof {epochs}, and the change"


def _keep_to_percent(ax: Axes) -> None:
    """Limit the axis to the range of percentages, with room for markers at its ends."""
    low, high = ax.get_ylim()
    room = 0.06 * (min(high, 100) - max(low, 0))
    ax.set_ylim(max(low, -room), min(high, 100 + room))
    ax.set_yticks(
        [tick for tick in ax.get_yticks() if 0 <= tick <= 100 and low <= tick <= high]
    )


def _span(numbers: pd.Series, what: str) -> str:
    low, high = int(numbers.min()), int(numbers.max())
    if low == high == 1:
        return f"1 {what.removesuffix('s')}"
    return f"{low} {what}" if low == high else f"{low} to {high} {what}"


def _name_best(front: pd.DataFrame, ax: Axes, *, more_is_better: bool) -> None:
    """Write the name of the best network above its points."""
    if front.empty:
        return
    best = front.sort_values(_Y, ascending=not more_is_better, kind="stable").iloc[0]
    low, high = ax.get_xlim()
    ax.margins(y=0.12)
    ax.annotate(
        best["name"],
        (best[_X], best[[_Y, "confirmed"]].max()),
        xytext=(0, 10),
        textcoords="offset points",
        ha="left" if best[_X] < (low + high) / 2 else "right",
        fontsize="small",
        bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.5},
        zorder=6,
    )
