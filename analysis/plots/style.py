"""Defines the style of all figures: readable in print, in grey and by the colour-blind.

Series differ in colour (Okabe and Ito's palette), marker and line at the same time. Input: what
a figure should show. Output: a figure saved as PNG and as vector graphics.
"""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.typing import ColorType

from analysis.plots.fitting import wrap_labels
from search.schema.files import replacing
from search.schema.metrics import PERCENT

_STYLE: dict[Any, Any] = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 10,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "pdf.fonttype": 42,  # embed fonts as TrueType: journals refuse type 3
    "savefig.dpi": 150,
    "svg.fonttype": "none",  # text stays text, so it can be read aloud and searched
    "text.parse_math": False,  # a title may contain a name with two dollar signs
    "svg.hashsalt": "res2net",  # the same figure gives the same file
}
# Settings kept from the calling program: fonts of the reader's language, size on screen.
_THEIRS: tuple[Any, ...] = (
    "figure.dpi",
    "font.family",
    "font.sans-serif",
    "font.serif",
    "axes.unicode_minus",
)
_NO_DATE: dict[str, Any] = {"Date": None}  # the same figure gives the same file
_SHADES = 256  # colours of a map
_ROOM = 0.8  # margin above and below, as a share of the points' range
_LEAST = 0.02  # of the largest value: the least range of a metric without a unit
_LETTERS = 12.0  # of a title per inch
_WIDE = 3.0  # amounts that differ by more than this factor get a log axis


@contextmanager
def styled(**own: Any) -> Iterator[None]:
    """Use our style for figures in the block, whatever style the program has set.

    Args:
        own: matplotlib settings that override the common ones.
    """
    theirs = {key: mpl.rcParams[key] for key in _THEIRS}
    with mpl.style.context(["default", theirs | _STYLE | own]):
        yield


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The medium for which figures are made.

    Attributes:
        text: font size in points; small text is five sixths of it.
        columns: allowed widths of a figure in inches; if empty, as wide as requested.
        titled: whether a figure shows its title; in a paper the caption does.
    """

    text: float = 10.0
    columns: tuple[float, ...] = ()
    titled: bool = True

    def size(self, width: float, height: float) -> tuple[float, float]:
        """Size in inches of a figure that requests this size for a screen."""
        if not self.columns:
            return width, height
        found = self.columns[0] if width <= _ONE_COLUMN else self.columns[-1]
        return found, height * max(found / width, self.text / SCREEN.text)


_ONE_COLUMN = 7.0  # inches on a screen; a wider figure spans both columns of a paper
SCREEN = Look()
PAPER = Look(text=8.0, columns=(3.25, 6.75), titled=False)
# Set only in the block of `seen` and its thread, never for the whole program.
_LOOK: ContextVar[Look] = ContextVar("look", default=SCREEN)


@contextmanager
def seen(look: Look) -> Iterator[None]:
    """Make every figure drawn in the block for one medium.

    Args:
        look: SCREEN or PAPER.
    """
    before = _LOOK.set(look)
    try:
        yield
    finally:
        _LOOK.reset(before)


class Mark(NamedTuple):
    """How one series is drawn."""

    color: str
    marker: str
    linestyle: str


CONTRAST = 3.0  # minimum contrast of graphics with white in WCAG 2

# Okabe and Ito (2008), light colours darkened; the first is for the study's subject.
_MARKS = (
    Mark("#0072B2", "o", "-"),
    Mark("#D55E00", "s", "--"),
    Mark("#009E73", "^", "-."),
    Mark("#CC79A7", "D", ":"),
    Mark("#2E8BC0", "v", "-"),
    Mark("#B47B00", "P", "--"),
    Mark("#000000", "X", "-."),
)


def marks(names: Sequence[str]) -> dict[str, Mark]:
    """Colour, marker and line of each series, the same whenever the names are the same."""
    return {name: _MARKS[i % len(_MARKS)] for i, name in enumerate(names)}


def contrast(color: ColorType) -> float:
    """Compute the contrast of a colour with white, 1 to 21 (WCAG 2, relative luminance)."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in mpl.colors.to_rgb(color)
    ]
    luminance = sum(w * part for w, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return 1.05 / (luminance + 0.05)


def shades(name: str = "viridis_r") -> ListedColormap:
    """Make a colour map without the colours that are too light for white paper.

    Args:
        name: matplotlib's name of the map.
    """
    colors = mpl.colormaps[name](np.linspace(0, 1, _SHADES + 2)[1:-1])
    return ListedColormap([one for one in colors if contrast(one) >= CONTRAST], name=name)


def spread_of(points: pd.Series, unit: str) -> float:
    """The range of points, at least a percentage point; in other units 2 % of the largest.

    Args:
        points: values, such as means of networks.
        unit: their unit.
    """
    least = 1.0 if unit == PERCENT else _LEAST * float(points.abs().max())
    return max(float(points.max() - points.min()), least)


def cut_whiskers(
    ax: Axes, points: pd.Series, low: pd.Series, high: pd.Series, *, unit: str
) -> bool:
    """Limit the axes to the points' range: intervals of two seeds are 13 times as wide.

    Args:
        ax: axes with the points.
        points: their heights.
        low: lower ends of their whiskers; missing where there is none.
        high: upper ends of their whiskers.
        unit: of the points.

    Returns:
        Whether whiskers leave the axes.
    """
    room = _ROOM * spread_of(points, unit)
    bottom, top = points.min() - room, points.max() + room
    leaves = bool(low.min() < bottom or high.max() > top)
    if leaves:
        ax.set_ylim(bottom, top)
    return leaves


@contextmanager
def drawing(
    columns: int = 1, *, width: float = 5.5, height: float = 4.2
) -> Iterator[tuple[Figure, list[Axes]]]:
    """Open a figure in the common style with this many axes side by side.

    Args:
        columns: number of axes.
        width: width of each in inches.
        height: height in inches.
    """
    with panelled(columns, most=columns, width=width * columns, height=height) as made:
        yield made


@contextmanager
def panelled(
    panels: int, *, most: int = 3, width: float = 8.7, height: float = 3.1
) -> Iterator[tuple[Figure, list[Axes]]]:
    """Open a figure in the common style with this many axes, row by row.

    Args:
        panels: number of axes.
        most: maximum number side by side; more would be unreadable on a phone.
        width: width of the figure in inches.
        height: height of a row in inches.
    """
    look = _LOOK.get()
    with styled(**{"font.size": look.text}):
        rows = -(-panels // most)
        columns = -(-panels // rows)
        size = look.size(width, height * rows)
        figure = Figure(figsize=size, layout="constrained")
        axes = list(figure.subplots(rows, columns, squeeze=False).flat)
        for unused in axes[panels:]:
            unused.remove()
        yield figure, axes[:panels]
        wrap_labels(figure)


def entitle(figure: Figure, title: str) -> None:
    """Write the title above a figure, in as many lines as needed.

    Args:
        figure: the figure being drawn; for a paper it gets no title.
        title: title of the figure, which describes the run.
    """
    if not _LOOK.get().titled:
        return
    letters = int(figure.get_figwidth() * _LETTERS)
    said = "\n".join(textwrap.wrap(title, letters, break_on_hyphens=False))
    figure.suptitle(said, x=0.01, ha="left", fontsize="medium")


def log_if_wide(ax: Axes, values: Any) -> None:
    """Use a logarithmic x axis with plain numbers if values differ by a large factor."""
    low, high = min(values, default=1), max(values, default=1)
    if low <= 0 or high <= _WIDE * low:
        return
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(mpl.ticker.LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(mpl.ticker.NullFormatter())


def unit_of(values: Any) -> tuple[float, str]:
    """The unit to divide amounts by for readability, and its name: (1e6, "M")."""
    largest = max(values, default=1)
    for size, name in ((1e9, "G"), (1e6, "M"), (1e3, "K")):
        if largest >= size:
            return size, name
    return 1.0, ""


def nothing(ax: Axes, why: str) -> None:
    """Write in the middle of empty axes why they are empty."""
    ax.text(0.5, 0.5, why, ha="center", va="center", wrap=True, transform=ax.transAxes)


def save(figure: Figure, path: Path) -> list[Path]:
    """Write a figure as PNG and as SVG, each completely or not at all.

    Args:
        figure: the figure to write.
        path: path without a suffix; its folder is created.

    Returns:
        The two files.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    written = []
    with styled():
        for kind in ("png", "svg"):
            whole = path.with_name(f"{path.name}.{kind}")
            with replacing(whole) as file:
                figure.savefig(file, format=kind, metadata=_NO_DATE if kind == "svg" else None)
            written.append(whole)
    return written
