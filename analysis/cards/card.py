"""Defines a card: one question about one or several runs, with its answer.

Report, notebooks and README use the same cards. A card consists of a table and sentences from
`analysis.questions` and a figure from `analysis.plots`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.figure import Figure

P_VALUE = "p"  # the format of a p value: four digits, and "< 0.0001" for less


class Column(NamedTuple):
    """A column of a table: its title, its key in the frame, and its number format."""

    title: str
    key: str
    form: str = ""  # Python format specification, or P_VALUE; empty for words

    def written(self, value: Any) -> str:
        """Format a cell of the column; empty where there is no value."""
        if pd.isna(value):
            return ""
        if self.form == P_VALUE:
            return "< 0.0001" if value < 0.0001 else f"{value:.4f}"
        return format(value, self.form) if self.form else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A table with the figure drawn from it.

    Attributes:
        name: an id, unique among the tables and figures of all cards.
        caption: what is shown, including n, kind of interval and correction.
        table: the numbers.
        columns: columns of the table that are shown, in order.
        draw: draws the figure; None where only the numbers are shown.
        alt: text alternative of the figure for readers who cannot see it.
        sortable: whether readers may sort the table.
    """

    name: str
    caption: str
    table: pd.DataFrame
    columns: tuple[Column, ...]
    draw: Callable[[], Figure] | None = None
    alt: str = ""
    sortable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A question with its answer, or the reason why the data give none.

    Attributes:
        name: an id, unique among all cards.
        question: the question in words, as a heading: "Does validation rank networks as the
            test does?"
        refused: why there is no answer, and what to run to get one; empty where there is one.
        sentences: the answer in words.
        claims: those sentences that claim that something is more than chance.
        shown: tables and figures.
    """

    name: str
    question: str
    refused: str = ""
    sentences: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    shown: tuple[Shown, ...] = ()

    def __post_init__(self) -> None:
        assert bool(self.refused) != bool(self.sentences or self.shown), self.name
        assert {*self.claims} <= {*self.sentences}, self.name


def reason(error: Exception, folder: Path) -> str:
    """Why a question has no answer, as stated on the page of a single run.

    Args:
        error: error of a question, which begins with the folder of the run.
        folder: the folder of the run.
    """
    return str(error).removeprefix(f"{folder}: ")
