"""Writes the figures of a run for a paper: PDF in the width of its columns, captions apart.

Goes in: a `Run`. Comes out: a folder with a PDF for each drawing of the report, without a title
and with its letters as TrueType, and captions.txt.
"""

from collections.abc import Iterator
from pathlib import Path

from analysis.cards.card import Shown
from analysis.cards.deck import cards_of
from analysis.pages.run_figures import drawings
from analysis.plots.picture import write_picture
from analysis.plots.style import PAPER, seen
from analysis.runs.run import Run
from search.schema.files import replace_text

CAPTIONS = "captions.txt"


def write_paper(run: Run, folder: Path) -> list[Path]:
    """Write every drawing of the report of a run as a paper prints it.

    Columns are 3.25 inches wide, wide figures 6.75, which is both columns of a page; text is of
    8 points (small text of 6.7).

    Args:
        run: finished or not.
        folder: is made; files in it that have the same names are replaced.

    Returns:
        The files.

    Raises:
        OSError: one cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written, captions = [], []
    for shown in _drawn(run):
        assert shown.draw is not None
        with seen(PAPER):
            figure = shown.draw()
        path = folder / f"{shown.name}.pdf"
        write_picture(figure, path)
        written.append(path)
        captions.append(f"{path.name} ({figure.get_figwidth():g} in)\n{shown.caption}\n")
    replace_text(folder / CAPTIONS, "\n".join([f"{run.described(short=True)}\n", *captions]))
    return [*written, folder / CAPTIONS]


def _drawn(run: Run) -> Iterator[Shown]:
    """The drawings in the order of the report."""
    yield from (one for one in drawings(run) if one.draw)
    yield from (one for card in cards_of(run) for one in card.shown if one.draw)
