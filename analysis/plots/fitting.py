"""Fits words into a figure: labels and legends that are wider than it get further lines.

Input: a figure with its words. Output: the same words, wrapped where they would leave it.
"""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.cbook import strip_math
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

POINTS = 72.0  # typographic points of an inch
_LEAST = 8  # letters of a line; shorter ones cannot be read
_SMALL = "small"  # size of legends
_LABEL = 2.0  # room for the label of the other axis, in units of the font size
# In units of the font size, as matplotlib spaces a legend: the line or mark with its distance
# from the words, the distance between two columns, and the margin around all.
_HANDLE, _BETWEEN, _AROUND = 2.8, 2.0, 1.8


def width_of(text: str, size: str | float) -> float:
    """Width in points of the longest line of a text in the font of figures.

    Args:
        text: one or several lines.
        size: of the font, in points or as matplotlib names it.
    """
    font = FontProperties(size=size)
    widths = [
        text_to_path.get_text_width_height_descent(line, font, ismath=False)[0]
        for line in text.split("\n")
    ]
    return float(max(widths))


def wrapped(text: str, room: float, size: str | float) -> str:
    """The text in as many lines as it takes to be no wider than the room.

    Args:
        text: the words; line breaks in it are kept if all lines fit.
        room: width in inches.
        size: of the font, in points or as matplotlib names it.
    """
    share = POINTS * room / max(width_of(text, size), 1.0)
    if share >= 1:
        return text
    letters = max(int(max(map(len, text.split("\n"))) * share), _LEAST)
    while True:  # letters differ in width, so the first guess may be a few too many
        lines = "\n".join(textwrap.wrap(text, letters, break_on_hyphens=False))
        if letters == _LEAST or width_of(lines, size) <= POINTS * room:
            return lines
        letters -= 1


def wrap_labels(figure: Figure) -> None:
    """Wrap the labels below the axes of a figure that are wider than there is room.

    Args:
        figure: a figure whose axes, each with its ticks, lie in a grid.
    """
    for ax in figure.axes:
        place = ax.get_subplotspec()
        if place is None:  # such as a bar of colours
            continue
        ratios = np.array(place.get_gridspec().get_width_ratios(), dtype=float)
        share = ratios[place.colspan.start : place.colspan.stop].sum() / ratios.sum()
        room = figure.get_figwidth() * float(share)
        label = ax.xaxis.get_label()
        # It is centred below the axes, at whose left the values of the other axis are written.
        ticks = (strip_math(text.get_text()) for text in ax.get_yticklabels())
        beside = max(ticks, key=len, default="")
        size = float(label.get_fontsize())
        left = (width_of(beside, size) + _LABEL * size) / POINTS
        label.set_text(wrapped(label.get_text(), room - left, size))


def legend_below(
    figure: Figure,
    entries: tuple[Sequence[Any], Sequence[Any]] | None = None,
    *,
    columns: int,
    title: str = "",
) -> None:
    """Draw a legend below the axes, in no more columns than fit side by side.

    Args:
        figure: the figure being drawn, with its axes.
        entries: what is drawn and its words; if missing, everything with a label.
        columns: the most columns.
        title: words above the entries.
    """
    handles, labels = entries or _labelled(figure)
    em = FontProperties(size=_SMALL).get_size_in_points() / POINTS
    room = figure.get_figwidth() - _AROUND * em
    fits = (n for n in range(columns, 1, -1) if _widths(labels, n, em) <= room)
    figure.legend(
        handles,
        [wrapped(label, room - _HANDLE * em, _SMALL) for label in labels],
        loc="outside lower left",
        ncols=next(fits, 1),
        fontsize=_SMALL,
        title=wrapped(title, room, _SMALL) or None,
        title_fontsize=_SMALL,
        alignment="left",
    )


def _labelled(figure: Figure) -> tuple[list[Any], list[str]]:
    each = [ax.get_legend_handles_labels() for ax in figure.axes]
    return [one for handles, _ in each for one in handles], [
        label for _, labels in each for label in labels
    ]


def _widths(labels: Sequence[str], columns: int, em: float) -> float:
    """Width in inches of the entries in this many columns, which are filled one by one."""
    each = [column for column in np.array_split(labels, columns) if len(column)]
    widest = [max(width_of(label, _SMALL) / POINTS for label in column) for column in each]
    return sum(widest) + em * (_HANDLE * len(each) + _BETWEEN * (len(each) - 1))
