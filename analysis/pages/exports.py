"""Exports a table of the report for papers: as Markdown and as LaTeX.

Goes in: a `page.Table`. Comes out: text to paste, which shows every cell as it is.
"""

import re

import pandas as pd

from analysis.pages.page import Table
from analysis.runs.markdown import escaped, escaped_line

_LATEX = {character: f"\\{character}" for character in "&%$#_{}"} | {
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    # Other signs in the usual fonts, and ligatures.
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
    # At the start of a row these would belong to the \\ before it.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
}
_LIGATURE = re.compile(r"(?<=-)(?=-)|(?<=[?!])(?=\\textasciigrave)")


def markdown(table: Table) -> str:
    """A pipe table, numbers to the right; what Markdown would read as its own is escaped."""
    rows = [_row(table.titles), _row(_ruler(table), ruler=True), *map(_row, table.rows)]
    return "\n".join([escaped_line(table.caption), "", *rows, ""])


def latex(table: Table) -> str:
    r"""A `table` in booktabs' style (`\usepackage{booktabs}`); all text is escaped."""
    columns = [_in_latex(title) for title in table.titles]
    rows = [[_in_latex(cell) for cell in row] for row in table.rows]
    indices = range(len(table.titles))
    return pd.DataFrame(rows, columns=columns, dtype=str).to_latex(
        index=False,
        escape=False,  # pandas' own leaves <, | and quotes, and what stands first in a row
        column_format="".join("l" if index in table.words else "r" for index in indices),
        caption=_in_latex(table.caption),
        label=f"tab:{table.name}",
        position="tb",
    )


def _in_latex(text: str) -> str:
    """Text for a cell: line breaks, of which two would end it, are spaces."""
    written = "".join(_LATEX.get(character, character) for character in " ".join(text.split()))
    return _LIGATURE.sub("{}", written)


def _ruler(table: Table) -> tuple[str, ...]:
    indices = range(len(table.titles))
    return tuple(":--" if index in table.words else "--:" for index in indices)


def _row(cells: tuple[str, ...], *, ruler: bool = False) -> str:
    return "| " + " | ".join(cell if ruler else escaped(cell) for cell in cells) + " |"
