"""Draws planned comparisons of dimensions from `analysis.questions.equal_size`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis.plots.fitting import legend_below
from analysis.plots.style import drawing, entitle, marks, nothing
from analysis.runs.scores import Score, with_unit
from search.design.contrasts import ALL_SIZES, DIMENSIONS

_ROW = 0.27  # inches
_TICKS = 5  # values of small metrics have many digits, and would run together
_TITLES = ("difference", "seeds", "p, all at once")
_PLACES = (0.22, 0.5, 0.99)  # right ends of the text columns, relative to their width
_TEXT = 0.55  # width of these columns relative to that of the intervals


def draw_comparisons(compared: pd.DataFrame, score: Score, *, size: str, title: str) -> Figure:
    """Draw how much more a dimension buys than each other one at equal size.

    Args:
        compared: from `analysis.questions.equal_size.comparisons`.
        score: the score that was compared: `run.score`.
        size: the size held equal, "params" or "macs".
        title: title of the figure, which describes the run and what was equal.
    """
    here = compared[(compared["size"] == size) & (compared["size"] != "")]
    rows = [
        row
        for against in dict.fromkeys(here["against"])
        for row in _ordered(here[here["against"] == against])
    ]
    # A size group may have one network: the same difference occurs again, in another family.
    labels = [
        f"{'network ' * (row['kind'] == 'network')}{row['label']} against {row['against']}"
        for row in rows
    ]
    of = rows[0]["of"] if rows else "scale"
    axis = with_unit(f"{score.name} of {of} minus that of the other", score.unit_of_difference)
    return _forest(
        rows, labels, axis=axis, title=title, how=_how(compared, rows), form=score.form("+")
    )


def draw_slopes(compared: pd.DataFrame, score: Score, *, title: str) -> Figure:
    """Draw what doubling multiply-adds buys along each dimension, and differences of slopes.

    Args:
        compared: from `analysis.questions.equal_size.comparisons`.
        score: the score that was compared: `run.score`.
        title: title of the figure, which describes the run.
    """
    rows = _records(compared[compared["kind"] == "slope"])
    labels = [
        f"{row['of']} minus {row['against']}" if row["against"] else row["of"] for row in rows
    ]
    axis = with_unit(f"{score.name} for a doubling of multiply-adds", score.unit_of_difference)
    return _forest(
        rows, labels, axis=axis, title=title, how=_how(compared, rows), form=score.form("+")
    )


def draw_networks(compared: pd.DataFrame, score: Score, *, title: str) -> Figure:
    """Draw pairs of networks, and the comparisons that the space file names.

    Args:
        compared: from `analysis.questions.equal_size.comparisons`.
        score: the score that was compared: `run.score`.
        title: title of the figure, which describes the run.
    """
    rows = _records(compared[compared["kind"].isin(["pair", "own"])])
    axis = with_unit(f"{score.name}, the first minus the second", score.unit_of_difference)
    labels = [row["label"] for row in rows]
    return _forest(
        rows, labels, axis=axis, title=title, how=_how(compared, rows), form=score.form("+")
    )


def _how(compared: pd.DataFrame, rows: Sequence[dict[str, Any]]) -> str:
    """State briefly how the simultaneous intervals are made."""
    count = int((compared["kind"] != "network").sum())
    rule = compared.attrs["rule"]
    how = "Bonferroni, valid at every look" if rule.every_look else "largest |t|"
    single = int((compared["kind"] == "network").sum())
    shown = any(row["kind"] == "network" for row in rows)
    apart = f"; single networks, a separate family: {single}" if shown else ""
    return f"intervals hold for all {count} comparisons at once ({how}){apart}"


def _forest(
    rows: Sequence[dict[str, Any]],
    labels: Sequence[str],
    *,
    axis: str,
    title: str,
    how: str,
    form: str,
) -> Figure:
    """Draw a row per comparison: thick single interval, thin simultaneous one, and numbers."""
    height = 1.9 + _ROW * max(len(rows), 3)
    with drawing(2, width=4.0, height=height) as (figure, (ax, beside)):
        ax.get_subplotspec().get_gridspec().set_width_ratios([1, _TEXT])  # type: ignore[union-attr]
        beside.set_axis_off()
        entitle(figure, title)
        ax.set_xlabel(axis)
        ax.xaxis.set_major_locator(MaxNLocator(_TICKS))
        if not rows:
            ax.set_yticks([])
            nothing(ax, "there is nothing to compare yet")
            return figure
        for place, row in enumerate(rows):
            _draw_row(ax, len(rows) - 1 - place, row)
        ax.axvline(0, color="0.3", linewidth=1)
        ax.set_yticks(range(len(rows)), list(labels)[::-1])
        for each in (ax, beside):
            each.set_ylim(-0.7, len(rows) - 0.3)
        _write_numbers(beside, rows, form)
        lines = _legend()
        legend_below(
            figure, (lines, [line.get_label() for line in lines]), columns=2, title=how
        )
    return figure


def _write_numbers(ax: Axes, rows: Sequence[dict[str, Any]], form: str) -> None:
    """Write difference, seeds and p of each row in columns beside it."""
    ax.set_xlim(0, 1)
    for at, said in zip(_PLACES, _TITLES, strict=True):
        ax.text(at, len(rows) - 0.2, said, ha="right", va="bottom", fontsize="small")
    for place, row in enumerate(reversed(rows)):
        p = row["p_all"]
        written = (
            "no interval"
            if np.isnan(row["low"])
            else ""
            if np.isnan(p)
            else "< 0.001"
            if p < 0.001
            else f"{p:.3f}"
        )
        texts = (f"{row['difference']:{form}}", f"{row['seeds']}", written)
        for at, text in zip(_PLACES, texts, strict=True):
            ax.text(at, place, text, ha="right", va="center", fontsize="small")


def _draw_row(ax: Axes, place: int, row: dict[str, Any]) -> None:
    single = row["kind"] == "network"
    style = marks(DIMENSIONS).get(row["against"] or row["of"], marks(["own"])["own"])
    whole = row["label"] == ALL_SIZES
    if not np.isnan(row["low"]):
        for low, high, width in (("low_all", "high_all", 1.0), ("low", "high", 3.0)):
            ax.plot(
                [row[low], row[high]], [place, place], color=style.color,
                linewidth=width * (0.6 if single else 1), alpha=0.6 if single else 1,
                solid_capstyle="butt",
            )  # fmt: skip
    ax.plot(
        row["difference"], place, style.marker, color=style.color,
        markersize=9 if whole else 4 if single else 6.5,
        markerfacecolor="white" if single else style.color,
    )  # fmt: skip


def _legend() -> list[Line2D]:
    shown = ((3.0, "95 % interval of each alone"), (1.0, "95 % interval of all at once"))
    return [Line2D([], [], color="0.3", linewidth=width, label=label) for width, label in shown]


def _ordered(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Sort rows: the mean first, then groups by size, then single networks."""
    return sorted(
        _records(rows), key=lambda row: (row["label"] != ALL_SIZES, row["kind"] == "network")
    )


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]
