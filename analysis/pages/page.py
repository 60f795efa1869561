"""Renders one self-contained HTML page with tables as text and figures as vector graphics.

Input: a `Page` of sections. Output: HTML that loads nothing: styles, script and figures are
embedded, and its content security policy forbids all requests. Only our script may run,
identified by its digest, so that nothing in a name or a reason can be executed.
"""

import base64
import hashlib
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from matplotlib.figure import Figure as Drawing

from analysis.cards.card import Column
from analysis.plots.style import styled

_MOST_ROWS = 10_000  # of a table; two of them are about 2.5 MB
_HALF = 545.0  # points; narrower figures are readable in half the page's width
_LEAST = 0.7  # of its size; below it a figure is scrolled, not shrunk
_HERE = Path(__file__).parent
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_OPENING = re.compile(r"<svg\b[^>]*>")
_VIEW_BOX = re.compile(r'viewBox="([-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+))"')
_TAG = re.compile(r"<[^>]*>")
_ID = re.compile(r'(\bid="|href="#|url\(#)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as shown, with formatted cells.

    Attributes:
        name: an id, unique on the page.
        caption: what it contains.
        titles: titles of its columns.
        rows: cells; an empty cell means that there is no value.
        words: indices of the columns with words; the others contain numbers.
        sortable: whether it can be sorted by a click on a title, with a box to filter.
    """

    name: str
    caption: str
    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...]
    sortable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure with its caption and numbers; `width` is in points, 72 per inch."""

    name: str
    svg: Markup
    caption: str
    table: Table
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a page under one heading; empty fields are not shown."""

    name: str
    title: str
    paragraphs: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    texts: tuple[tuple[str, str], ...] = ()  # title and text, shown verbatim


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A whole report; `banner` is what a reader must know before any result."""

    title: str
    banner: str
    sections: tuple[Section, ...]


def table(
    frame: pd.DataFrame,
    columns: Iterable[Column],
    *,
    name: str,
    caption: str,
    sortable: bool = False,
) -> Table:
    """Format a frame as a table.

    Args:
        frame: any frame; missing values become empty cells; rows beyond 10,000 are left out, as
            the caption then states.
        columns: the columns to show, in order.
        name: id on the page.
        caption: what it contains.
        sortable: whether it can be sorted by a click on a title.
    """
    columns = tuple(columns)
    if len(frame) > _MOST_ROWS:
        caption += (
            f"; the first {_MOST_ROWS:,} of {len(frame):,} rows, so that the page stays small: "
            "python -m analysis.summary writes all of them"
        )
        frame = frame.head(_MOST_ROWS)
    written = [[column.written(value) for value in frame[column.key]] for column in columns]
    return Table(
        name=name,
        caption=caption,
        titles=tuple(column.title for column in columns),
        rows=tuple(zip(*written, strict=True)),
        words=tuple(index for index, column in enumerate(columns) if not column.form),
        sortable=sortable,
    )


def figure(drawing: Drawing, *, alt: str, caption: str, table: Table) -> Figure:
    """Embed a figure in the page as vector graphics.

    Args:
        drawing: figure from a draw function.
        alt: text alternative for readers who cannot see it.
        caption: caption below it.
        table: the numbers it was drawn from; its name also prefixes the figure's ids.
    """
    file = io.StringIO()
    with styled():
        drawing.savefig(file, format="svg", metadata={"Date": None})
    text = _METADATA.sub("", file.getvalue())
    text = text[text.index("<svg") :]
    # Ids are global to the page, so equal ids of two figures would be mixed up. Only inside
    # tags, because a title may contain the same letters.
    text = _TAG.sub(lambda tag: _ID.sub(rf"\g<1>{table.name}-", tag[0]), text)
    view = _VIEW_BOX.search(text)
    assert view is not None, "matplotlib writes one"
    opening = Markup(
        '<svg viewBox="{}" role="img" aria-label="{}" '
        'style="width:{}pt;--least:{:.0f}pt;aspect-ratio:{}/{}">'
    ).format(view[1], alt, view[2], _LEAST * float(view[2]), view[2], view[3])
    svg = Markup(_OPENING.sub(lambda _: str(opening), text, count=1))  # noqa: S704 - matplotlib escapes
    return Figure(
        name=f"figure-{table.name}",
        svg=svg,
        caption=caption,
        table=table,
        width=float(view[2]),
    )


def side_by_side(figures: Sequence[Figure]) -> list[tuple[Figure, ...]]:
    """Arrange figures in rows, in order; two narrow neighbours share a row.

    Args:
        figures: figures of a section. A figure alone in its row has its caption beside it.
    """
    rows: list[tuple[Figure, ...]] = []
    for one in figures:
        last = rows[-1] if rows else ()
        if len(last) == 1 and max(last[0].width, one.width) <= _HALF:
            rows[-1] = (*last, one)
        else:
            rows.append((one,))
    return rows


def render(page: Page) -> str:
    """Render the page as HTML; the same page gives the same text."""
    script = (_HERE / "report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    return environment.get_template("report.html.j2").render(
        page=page,
        body=_body,
        side_by_side=side_by_side,
        style=Markup((_HERE / "report.css").read_text(encoding="utf-8")),  # noqa: S704 - our file
        script=Markup(script),  # noqa: S704 - our file
        digest=digest,
    )


def _body(rows: Iterable[tuple[str, ...]]) -> Markup:
    """Rows of a table, the first cell as the title of its row, for those who hear it read.

    They have no closing tags, which HTML allows: this saves 1 MB per 10,000 rows.
    """
    lines = (
        f'<tr><th scope="row">{escape(first)}' + "".join(f"<td>{escape(each)}" for each in rest)
        for first, *rest in rows
    )
    return Markup("\n".join(lines))  # noqa: S704 - each cell is escaped
