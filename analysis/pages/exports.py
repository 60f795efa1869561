"""Exports a table of the report for papers: as Markdown and as LaTeX.

Goes in: a `page.Table`. Comes out: text to paste.
"""

import re

import pandas as pd

from analysis.pages.page import Table

_LATEX = str.maketrans(
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}
)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#~])")


def markdown(table: Table) -> str:
    """A pipe table, numbers to the right; what Markdown would read as its own is escaped."""
    rows = [_row(table.titles), _row(_ruler(table), escaped=True), *map(_row, table.rows)]
    return "\n".join([_escaped(table.caption), "", *rows, ""])


def latex(table: Table) -> str:
    r"""A `table` in booktabs' style (`\usepackage{booktabs}`); names are escaped."""
    frame = pd.DataFrame(list(table.rows), columns=list(table.titles), dtype=str)
    indices = range(len(table.titles))
    return frame.to_latex(
        index=False,
        escape=True,
        column_format="".join("l" if index in table.words else "r" for index in indices),
        caption=table.caption.translate(_LATEX),  # pandas escapes cells and titles only
        label=f"tab:{table.name}",
        position="tb",
    )


def _ruler(table: Table) -> tuple[str, ...]:
    indices = range(len(table.titles))
    return tuple(":--" if index in table.words else "--:" for index in indices)


def _row(cells: tuple[str, ...], *, escaped: bool = False) -> str:
    return "| " + " | ".join(cell if escaped else _escaped(cell) for cell in cells) + " |"


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))
