"""Shows cards in a notebook: words as Markdown, formatted tables, and figures."""

import pandas as pd
from IPython.display import Markdown, display

from analysis.cards.card import Card, Shown
from analysis.runs.markdown import escaped, escaped_line


def show(card: Card) -> None:
    """Show a card below a cell: its question as a heading, then its answer or the refusal.

    Args:
        card: any card.
    """
    lines = [f"## {escaped(card.question)}", *map(escaped_line, card.sentences)]
    if card.refused:
        lines.append(f"**Refused.** {escaped(card.refused)}")
    _show_text("\n\n".join(lines))
    for shown in card.shown:
        if shown.draw is not None:
            said = {"image/png": {"alt": shown.alt}}
            display(shown.draw(), metadata=said)  # type: ignore[no-untyped-call]  # untyped
        _show_text(f"*{escaped(shown.caption)}*")
        display(written(shown))  # type: ignore[no-untyped-call]  # untyped


def _show_text(text: str) -> None:
    display(Markdown(text))  # type: ignore[no-untyped-call]  # untyped


def written(shown: Shown) -> pd.DataFrame:
    """Convert a table to the form in the report: titled columns with formatted cells."""
    cells = {
        column.title: [column.written(value) for value in shown.table[column.key]]
        for column in shown.columns
    }
    return pd.DataFrame(cells)
