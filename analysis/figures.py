"""Redraws every figure of the README and the notebooks: python -m analysis.figures.

Reads the committed results (`analysis/results`) and writes beside them; runs nothing that
trains. `make figures` is this.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from analysis.cards.axes import equal_size_card, series_card
from analysis.cards.laws import laws_card
from analysis.inside import receptive
from analysis.plots.style import save
from analysis.questions.series import is_along_axes
from analysis.runs.run import Run, read_run
from analysis.summary import summarise
from search.schema.files import replace_text
from search.study.journal import FILE

HERE = Path(__file__).parent
_FILES = {
    "series": "fig5",
    "compared-params": "comparisons_params",
    "compared-macs": "comparisons_macs",
    "laws-drawn": "laws",
}
NOTEBOOKS = ("fig5.ipynb", "budget.ipynb", "transfer.ipynb")


def main(argv: Sequence[str]) -> int:
    """Make every figure and print its path; return 2 for any argument, as none is accepted."""
    if argv:
        print(__doc__, file=sys.stderr)
        return 0 if argv[0] in ("-h", "--help") else 2
    for folder in sorted(path.parent for path in (HERE / "results").glob(f"*/{FILE}")):
        made = [summarise(folder)["figure"]]
        run = read_run(folder)
        if is_along_axes(run):
            made += draw_axes(run)
        for path in made:
            print(path)
    receptive.main(["Res2Net-50", "--out", str(HERE / "results" / "receptive_fields.png")])
    for name in NOTEBOOKS:
        execute(HERE / name)
        print(HERE / name)
    return 0


def draw_axes(run: Run) -> list[Path]:
    """Draw the figures of a run along axes below its folder; return the files."""
    shown = {
        _FILES.get(one.name, one.name): one
        for card in (series_card(run), equal_size_card(run), laws_card(run))
        for one in card.shown
    }
    figures = {name: one.draw() for name, one in shown.items() if one.draw}
    return [
        path
        for name, figure in figures.items()
        for path in save(figure, run.folder / "figures" / name)
    ]


def execute(path: Path) -> None:
    """Execute a notebook in its folder and keep its outputs in it."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # untyped
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,  # so that the same results give the same file
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    replace_text(path, nbformat.writes(notebook) + "\n")  # type: ignore[no-untyped-call]  # untyped


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
