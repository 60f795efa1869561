"""Writes the figures of a run for a paper: PDFs in column width, captions separately.

Input: a `Run`. Output: a folder with captions.txt and a PDF for each figure of the report,
without a title and with TrueType fonts.
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
    """Write every figure of a run's report in the form for a paper.

    Columns are 3.25 inches wide, wide figures 6.75 inches, which spans both columns of a page;
    text has 8 points (small text 6.7).

    Args:
        run: finished or not.
        folder: created if needed; files in it with the same names are replaced.

    Returns:
        The written files.

    Raises:
        OSError: a file cannot be written.
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
    """The figures in the order of the report."""
    yield from (one for one in drawings(run) if one.draw)
    yield from (one for card in cards_of(run) for one in card.shown if one.draw)
