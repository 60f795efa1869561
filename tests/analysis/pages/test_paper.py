"""Figures for a paper: the width of its columns, no title, letters that print."""

import re
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from analysis.cards.deck import OF_A_RUN
from analysis.pages.paper import CAPTIONS, write_paper
from analysis.pages.run_figures import drawings
from analysis.plots.style import PAPER, SCREEN, seen
from analysis.report import main
from analysis.runs.run import Run
from tests.analysis.made import AXES, OVERRIDES, made, network, seeded

WIDTHS = (3.25, 6.75)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    folder = tmp_path_factory.mktemp("paper")
    rows = [
        {"network": network(2, depth=20, scale=scale), "seed": i, "repeat": i,
         "val_error": 60.0 - scale + i, "test_error": 60.0 - scale + i}
        for scale in (1, 2, 3)
        for i in (0, 1)
    ]  # fmt: skip
    return [
        made(folder / "plain", seeded(), *OVERRIDES),
        made(folder / "axes", rows, text=AXES),
    ]


def words_of(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def test_every_drawing_has_the_width_of_a_column_and_no_title(runs: list[Run]) -> None:
    seen_by_name = {}
    for run in runs:
        for one in [*drawings(run), *(one for make in OF_A_RUN for one in make(run).shown)]:
            if one.draw is None or one.name in seen_by_name:
                continue
            screen = one.draw()
            with seen(PAPER):
                paper = one.draw()
            title = screen.get_suptitle()
            assert title.startswith(run.name), one.name
            assert paper.get_suptitle() == ""
            assert title not in words_of(paper)
            assert paper.get_figwidth() in WIDTHS
            sizes = [text.get_fontsize() for text in paper.findobj(Text) if text.get_text()]
            assert 6.0 <= min(sizes) <= max(sizes) <= 8.0 + 1e-9
            seen_by_name[one.name] = paper
    assert {figure.get_figwidth() for figure in seen_by_name.values()} == {*WIDTHS}
    assert drawings(runs[0])[0].draw().get_suptitle(), "after the block as before it"


@pytest.mark.slow
def test_pages_have_the_width_and_their_letters(runs: list[Run], tmp_path: Path) -> None:
    written = write_paper(runs[0], tmp_path / "figures")
    assert [path.name for path in written[:2]] == ["networks-search.pdf", "curves.pdf"]
    captions = (tmp_path / "figures" / CAPTIONS).read_text(encoding="utf-8")
    for path in written[:-1]:
        page = path.read_bytes()
        (width,) = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) [\d.]+ \]", page)
        assert float(width) / 72 in WIDTHS
        assert b"/FontFile2" in page, "TrueType"
        assert b"/Type3" not in page
        assert f"{path.name} ({float(width) / 72:g} in)\n" in captions
    for one in drawings(runs[0]):
        assert one.caption in captions


@pytest.mark.slow
def test_the_command(
    runs: list[Run], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "paper"
    assert main([str(runs[0].folder), "--paper", str(out)]) == 0
    said = capsys.readouterr().out
    assert said == f"paper: {len(list(out.glob('*.pdf')))} figures and captions.txt in {out}\n"
    both = [str(run.folder) for run in runs]
    assert main([*both, "--paper", str(out)]) == 2
    assert "--paper" in capsys.readouterr().err
    file = out / CAPTIONS
    assert main([both[0], "--paper", str(file)]) == 2
    assert capsys.readouterr().err == (
        f"--paper {file}: is a file; give a folder, which will be made\n"
    )
    assert main([str(tmp_path), "--paper", str(out)]) == 2
    assert "contains no journal.jsonl" in capsys.readouterr().err


def test_a_screen_is_left_as_it_asks() -> None:
    assert SCREEN.size(8.7, 3.1) == (8.7, 3.1)
    assert PAPER.size(5.5, 4.0) == (3.25, pytest.approx(3.2))
    assert PAPER.size(9.0, 4.0) == (6.75, pytest.approx(3.2)), "text is four fifths as high"
