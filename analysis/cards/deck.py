"""Lists the cards: which questions the report puts to a run, and to several.

A new question is one more line here.
"""

from collections.abc import Callable, Sequence

from analysis.cards.card import Card
from analysis.runs.run import Run

OF_A_RUN: tuple[Callable[[Run], Card], ...] = ()
OF_RUNS: tuple[Callable[[Sequence[Run]], Card], ...] = ()
