"""Draws networks as points: colour is their scale, shape their cardinality, size their depth.

All three are told apart in grey: shades run from light to dark.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.plots.style import shades

_SHAPES = "osD^vP<>*phdH8"  # of which none looks like the cross of a trial that was stopped
_MOST = 8  # values that a legend shows of one dimension
_GREY = "0.3"
_SMALL, _MIDDLE, _LARGE = 38.0, 70.0, 150.0  # square points of a marker
_MOST_DEPTHS = 3  # sizes that a legend shows


def draw_networks(
    points: pd.DataFrame, x: pd.Series, y: pd.Series, ax: Axes, *, raster: bool
) -> None:
    """Networks in the common colours and shapes, and what these mean for the legend.

    Args:
        points: `depth`, `scale`, `mean_scale`, `cardinality` and `skeleton` of each; the shape
            is the skeleton where there are several, else the cardinality.
        x: of the points.
        y: of the points.
        ax: to draw in.
        raster: whether they are so many that each is small, and no element of a vector file.
    """
    by = "skeleton" if len(set(points["skeleton"])) > 1 else "cardinality"
    written = points[by].map(str)
    shapes = _shapes(written)
    colors, areas = _Colors(points), _areas(points["depth"])
    area = points["depth"].map(areas).astype(float)
    for shape in dict.fromkeys(shapes.values()):
        mine = written.map(shapes) == shape
        ax.scatter(
            x[mine],
            y[mine],
            c=colors.of(points["mean_scale"][mine]),
            marker=shape,
            s=12 if raster else area[mine],
            edgecolors="white",
            linewidths=0.5,
            rasterized=raster,
            zorder=3,
        )
    _say(ax, colors.title)
    for value, said in colors.shown:
        ax.scatter([], [], color=colors.of([value]), s=50, label=said)
    _say(ax, by)
    for shape, said in _shown(shapes).items():
        ax.scatter([], [], color=_GREY, marker=shape, s=50, label=said)
    if len(areas) > 1 and not raster:
        _say(ax, "depth (size)")
        depths = list(areas)
        chosen = np.linspace(0, len(depths) - 1, min(len(depths), _MOST_DEPTHS)).astype(int)
        for depth in (depths[i] for i in chosen):
            ax.scatter([], [], color=_GREY, s=areas[depth], label=f"{depth} layers")


def _areas(depths: pd.Series) -> dict[int, float]:
    """Area of the marker of each depth, the shallowest first."""
    known = sorted({*depths})
    if len(known) == 1:
        return {known[0]: _MIDDLE}
    return dict(zip(known, np.linspace(_SMALL, _LARGE, len(known)).tolist(), strict=True))


class _Colors:
    """The colours of scales."""

    def __init__(self, points: pd.DataFrame) -> None:
        same = all(isinstance(scale, int) for scale in points["scale"])
        self.title = "scale" if same else "mean scale of the stages"
        self._map, self._high = shades(), max(float(points["mean_scale"].max()), 2.0)
        values = sorted(set(points["mean_scale"]))
        if len(values) > _MOST:  # the least and the largest among them
            values = [
                values[i] for i in np.linspace(0, len(values) - 1, _MOST).round().astype(int)
            ]
        self.shown = [(value, f"{value:.3g}") for value in values]

    def of(self, scales: Sequence[float] | pd.Series) -> np.ndarray:
        """One colour for each."""
        places = (np.asarray(scales, dtype=float) - 1) / (self._high - 1)
        return np.asarray(self._map(places))


def _shapes(written: pd.Series) -> dict[str, str]:
    """A shape for each value; beyond those there are, the rarest share the last."""
    frequent = list(written.value_counts(sort=True).index)
    alone = sorted(frequent[: len(_SHAPES) - 1], key=_order)
    if len(frequent) == len(_SHAPES):
        alone = sorted(frequent, key=_order)
    rest = [value for value in frequent if value not in set(alone)]
    return dict(zip(alone, _SHAPES, strict=False)) | dict.fromkeys(rest, _SHAPES[-1])


def _shown(shapes: dict[str, str]) -> dict[str, str]:
    """What the legend says of each shape."""
    said: dict[str, str] = {}
    for value, shape in shapes.items():
        # A label that begins with _ is none to matplotlib: a file may be called so.
        said[shape] = "others" if shape in said else "\u200b" * value.startswith("_") + value
    return said


def _order(value: str) -> tuple[int, str]:
    """Numbers by size, before words."""
    return (int(value), "") if value.isdecimal() else (10**9, value)


def _say(ax: Axes, title: str) -> None:
    """A line of the legend without a sign."""
    ax.scatter([], [], alpha=0, label=title)
