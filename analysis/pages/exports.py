"""Exports a table of the report for papers, as Markdown and as LaTeX.

Input: a `page.Table`. Output: text to paste, which shows every cell literally.
"""

import re

import pandas as pd

from analysis.pages.page import Table
from analysis.runs.markdown import escaped, escaped_line

_LATEX = {character: f"\\{character}" for character in "&%$#_{}"} | {
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    # Rendered as other characters in the usual fonts, or as ligatures.
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
    # At the start of a row these would be read as arguments of the \\ before it.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
}
_LIGATURE = re.compile(r"(?<=-)(?=-)|(?<=[?!])(?=\\textasciigrave)")


def markdown(table: Table) -> str:
    """Make a pipe table with right-aligned numbers; Markdown's own characters are escaped."""
    rows = [_row(table.titles), _row(_ruler(table), ruler=True), *map(_row, table.rows)]
    return "\n".join([escaped_line(table.caption), "", *rows, ""])


def latex(table: Table) -> str:
    r"""Make a `table` in booktabs' style (`\usepackage{booktabs}`); all text is escaped."""
    columns = [_in_latex(title) for title in table.titles]
    rows = [[_in_latex(cell) for cell in row] for row in table.rows]
    indices = range(len(table.titles))
    return pd.DataFrame(rows, columns=columns, dtype=str).to_latex(
        index=False,
        escape=False,  # pandas does not escape <, |, quotes and the start of rows
        column_format="".join("l" if index in table.words else "r" for index in indices),
        caption=_in_latex(table.caption),
        label=f"tab:{table.name}",
        position="tb",
    )


def _in_latex(text: str) -> str:
    """Escape text for a cell; line breaks become spaces, as two would end the paragraph."""
    written = "".join(_LATEX.get(character, character) for character in " ".join(text.split()))
    return _LIGATURE.sub("{}", written)


def _ruler(table: Table) -> tuple[str, ...]:
    indices = range(len(table.titles))
    return tuple(":--" if index in table.words else "--:" for index in indices)


def _row(cells: tuple[str, ...], *, ruler: bool = False) -> str:
    return "| " + " | ".join(cell if ruler else escaped(cell) for cell in cells) + " |"
