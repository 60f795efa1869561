"""Defines a card: one question that is put to a run or to several, with its answer.

Report, notebooks and README draw from the same cards. A card is made of a table and sentences
of `analysis.questions` and a drawing of `analysis.plots`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.figure import Figure


class Column(NamedTuple):
    """A column of a table: what it is called, which of the frame it is, how it is written."""

    title: str
    key: str
    form: str = ""  # of Python's format; empty for words

    def written(self, value: Any) -> str:
        """A cell of the column; empty where there is no value."""
        if pd.isna(value):
            return ""
        return format(value, self.form) if self.form else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A table with the drawing that is made of it.

    Attributes:
        name: an id that no other table or drawing of any card has.
        caption: what it shows: n, kind of interval and correction among it.
        table: the numbers.
        columns: of the table that are shown, in order.
        draw: makes the drawing; None where the numbers are shown alone.
        alt: what the drawing shows, for who cannot see it.
        sortable: whether a reader may sort the table.
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
    """A question with its answer, or the reason why the data have none.

    Attributes:
        name: an id that no other card has.
        question: in words, as a heading: "Does validation rank networks as the test does?"
        refused: why there is no answer, and what to run to have one; empty where there is.
        sentences: the answer in words.
        claims: those of the sentences that say that something is more than chance.
        shown: tables and drawings.
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
    """Why a question has no answer, as a page that is of one run says it.

    Args:
        error: of a question; it begins with the folder of the run.
        folder: that one.
    """
    return str(error).removeprefix(f"{folder}: ")
