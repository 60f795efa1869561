"""Writes names beside points so that they do not overlap each other, points or lines."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

Array = NDArray[np.float64]

_AROUND = np.deg2rad([45, 0, 315, 90, 270, 135, 180, 225])  # in order of preference
_AWAY = (6.0, 9.0, 13.0, 18.0, 25.0, 34.0)  # typographic points between a point and its name
_FAR = 12.0  # beyond this, a line connects the name and its point
_STEP = 2.0  # typographic points between sampled places of a line to avoid
_PAD = 1.5  # typographic points around a name
_ON_A_NAME, _OUTSIDE = 60.0, 1000.0  # penalties; a covered place of a line costs 1
_APART = 0.022  # distance of distinguishable whiskers, as a share of the range


class Named(NamedTuple):
    """A point with its name."""

    x: float
    y: float
    text: str
    color: str


def write_names(ax: Axes, named: Sequence[Named], lines: Sequence[Array] = ()) -> None:
    """Write names where there is room, with a thin line to the point if it is far away.

    The longest name is placed first, each where it covers least. Call this last, because the
    figure is laid out to determine the available room.

    Args:
        ax: axes with everything else already drawn.
        named: the points.
        lines: corners (n, 2) of each line to avoid, in the units of the axes.
    """
    figure = ax.figure
    assert isinstance(figure, Figure), "of a whole figure"
    canvas = FigureCanvasAgg(figure)
    renderer: RendererAgg = canvas.get_renderer()  # type: ignore[no-untyped-call]  # untyped
    figure.draw_without_rendering()
    points = figure.dpi / 72  # pixels per typographic point
    drawn = [ax.transData.transform(line) / points for line in lines]
    spots = ax.transData.transform([(one.x, one.y) for one in named]) / points
    kept_off = np.concatenate([spots, *(_along(line) for line in drawn)])
    frame = ax.get_window_extent(renderer)
    inside = np.array([[frame.x0, frame.y0], [frame.x1, frame.y1]]) / points
    taken: list[Array] = []
    for at in sorted(range(len(named)), key=lambda i: -len(named[i].text)):
        one = named[at]
        text = ax.annotate(
            one.text, (one.x, one.y), xytext=(0, 0), textcoords="offset points",
            color=one.color, fontsize="small", zorder=6,
        )  # fmt: skip
        extent = text.get_window_extent(renderer)
        size = np.array([extent.width, extent.height]) / points
        corner, away = _free(spots[at], size, kept_off, taken, inside=inside)
        taken.append(np.array([corner, corner + size]))
        text.set_position(tuple(corner - spots[at]))
        if away > _FAR:
            edge = np.clip(spots[at], corner, corner + size) - spots[at]
            ax.annotate(
                "", (one.x, one.y), xytext=tuple(edge), textcoords="offset points", zorder=5,
                arrowprops={"arrowstyle": "-", "color": "0.5", "linewidth": 0.6, "shrinkB": 3},
            )  # fmt: skip


def moved_apart(x: pd.Series, low: pd.Series, high: pd.Series) -> pd.Series:
    """Shift points sideways whose whiskers would otherwise overlap.

    Args:
        x: x of the points.
        low: lower ends of their whiskers; missing where there is none.
        high: upper ends.

    Returns:
        x, moved where neighbours are closer than 2.2 % of the range and their whiskers overlap.
    """
    apart = _APART * float(np.ptp(x)) if len(x) else 0.0
    order = x.to_numpy(dtype=float).argsort(kind="stable")
    at, bottom, top = (each.to_numpy(dtype=float) for each in (x, low, high))
    groups: list[list[int]] = []
    for one in order:
        last = groups[-1][-1] if groups else one
        crosses = bottom[one] <= top[last] and bottom[last] <= top[one]
        if groups and crosses and at[one] - at[last] < apart:
            groups[-1].append(one)
        else:
            groups.append([one])
    moved = at.copy()
    for group in (each for each in groups if len(each) > 1):
        places = np.arange(len(group)) - (len(group) - 1) / 2
        moved[group] = at[group].mean() + places * apart
    return pd.Series(moved, index=x.index)


def _free(
    spot: Array, size: Array, kept_off: Array, taken: Sequence[Array], *, inside: Array
) -> tuple[Array, float]:
    """The lower left corner of the position where a name covers least, and its distance."""
    best, found = np.inf, (spot, 0.0)
    for away in _AWAY:
        for angle in _AROUND:
            side = np.array([np.cos(angle), np.sin(angle)]).round(6)
            low = spot + side * away + (np.sign(side) - 1) / 2 * size
            low, high = low - _PAD, low + size + _PAD
            covered = float(((kept_off > low) & (kept_off < high)).all(axis=1).sum())
            names = sum(bool(((low < box[1]) & (high > box[0])).all()) for box in taken)
            leaves = bool((low < inside[0]).any() or (high > inside[1]).any())
            # A more distant place is worth it if it keeps even a little of a line clear.
            cost = covered + _ON_A_NAME * names + _OUTSIDE * leaves + away / 10
            if cost < best:
                best, found = cost, (low + _PAD, away)
    return found


def _along(line: Array) -> Array:
    """Sample places at equal steps along a line with corners (n, 2)."""
    if len(line) < 2:
        return line
    run = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    at = np.arange(0, run[-1], _STEP)
    return np.column_stack([np.interp(at, run, line[:, i]) for i in (0, 1)])
