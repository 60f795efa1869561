"""Draws networks as points whose colour is scale, shape cardinality and size depth.

All three can be distinguished in greyscale: shades run from light to dark.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.plots.style import shades

_SHAPES = "osD^vP<>*phdH8"  # none looks like the cross of a stopped trial
_MOST = 8  # values of one dimension shown in a legend
_GREY = "0.3"
_SMALL, _MIDDLE, _LARGE = 38.0, 70.0, 150.0  # marker areas in square points
_MOST_DEPTHS = 3  # sizes shown in a legend


def draw_networks(
    points: pd.DataFrame, x: pd.Series, y: pd.Series, ax: Axes, *, raster: bool
) -> None:
    """Draw networks in the common colours and shapes, with legend entries for these.

    Args:
        points: `depth`, `scale`, `mean_scale`, `cardinality` and `skeleton` of each network;
            the shape shows the skeleton if there are several, else the cardinality.
        x: x of the points.
        y: y of the points.
        ax: axes to draw in.
        raster: whether there are so many that each is small and rasterised.
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
    """Marker area for each depth, the shallowest first."""
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
        if len(values) > _MOST:  # including the smallest and the largest
            values = [
                values[i] for i in np.linspace(0, len(values) - 1, _MOST).round().astype(int)
            ]
        self.shown = [(value, f"{value:.3g}") for value in values]

    def of(self, scales: Sequence[float] | pd.Series) -> np.ndarray:
        """Give one colour for each scale."""
        places = (np.asarray(scales, dtype=float) - 1) / (self._high - 1)
        return np.asarray(self._map(places))


def _shapes(written: pd.Series) -> dict[str, str]:
    """A shape for each value; if there are too few shapes, the rarest values share the last."""
    frequent = list(written.value_counts(sort=True).index)
    alone = sorted(frequent[: len(_SHAPES) - 1], key=_order)
    if len(frequent) == len(_SHAPES):
        alone = sorted(frequent, key=_order)
    rest = [value for value in frequent if value not in set(alone)]
    return dict(zip(alone, _SHAPES, strict=False)) | dict.fromkeys(rest, _SHAPES[-1])


def _shown(shapes: dict[str, str]) -> dict[str, str]:
    """The legend text of each shape."""
    said: dict[str, str] = {}
    for value, shape in shapes.items():
        # matplotlib hides labels that begin with _, which a file name may.
        said[shape] = "others" if shape in said else "\u200b" * value.startswith("_") + value
    return said


def _order(value: str) -> tuple[int, str]:
    """Sort key: numbers by size, before words."""
    return (int(value), "") if value.isdecimal() else (10**9, value)


def _say(ax: Axes, title: str) -> None:
    """Add a line without a marker to the legend."""
    ax.scatter([], [], alpha=0, label=title)
