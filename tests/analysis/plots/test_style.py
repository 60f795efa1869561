"""What is drawn can be seen on white paper."""

from pathlib import Path

import matplotlib as mpl
import matplotlib.style
import numpy as np
import pytest

from analysis.plots.style import (
    CONTRAST,
    PAPER,
    contrast,
    drawing,
    entitle,
    marks,
    save,
    seen,
    shades,
)


@pytest.mark.parametrize(
    ("color", "expected"),
    # From the tables of WCAG 2: white, black, the grey #767676 that just passes 4.5, pure red.
    [("#FFFFFF", 1.0), ("#000000", 21.0), ("#767676", 4.54), ("#FF0000", 4.0)],
)
def test_contrast_is_that_of_the_standard(color: str, expected: float) -> None:
    assert contrast(color) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("name", ["viridis_r", "cividis"])
def test_no_shade_is_too_light(name: str) -> None:
    colors = shades(name)(np.linspace(0, 1, 50))
    assert min(map(contrast, colors)) >= CONTRAST
    assert len({tuple(color) for color in colors}) == 50, "each its own"


def test_no_mark_is_too_light_and_each_differs() -> None:
    styles = marks([str(i) for i in range(7)]).values()
    assert min(contrast(style.color) for style in styles) >= CONTRAST
    assert len(set(styles)) == len({style.color for style in styles}) == 7


def test_a_title_is_wrapped_and_a_paper_has_none() -> None:
    title = "a study of many networks " * 8
    with drawing(width=4) as (figure, _):
        entitle(figure, title)
    lines = figure.get_suptitle().split("\n")
    assert " ".join(lines) == title.strip()
    assert max(map(len, lines)) <= 4 * 12
    with seen(PAPER), drawing(width=4) as (paper, (ax,)):
        entitle(paper, title)
        assert ax.xaxis.label.get_fontsize() == 8
    assert paper.get_suptitle() == ""
    assert paper.get_figwidth() == 3.25


def test_a_look_ends_with_its_block_even_where_drawing_fails() -> None:
    with pytest.raises(RuntimeError), seen(PAPER):
        raise RuntimeError
    with drawing(width=4) as (figure, _):
        assert figure.get_figwidth() == 4


@pytest.mark.parametrize("style", ["ggplot", "dark_background", "seaborn-v0_8-poster"])
def test_a_figure_is_the_same_whatever_style_the_program_has(
    style: str, tmp_path: Path
) -> None:
    """A notebook that draws figures of its own, or Optuna's, which take one for all."""
    ours = _saved(tmp_path / "plain")
    with mpl.style.context(style):
        assert _saved(tmp_path / style) == ours


def _saved(path: Path) -> list[bytes]:
    with drawing(width=4) as (figure, (ax,)):
        ax.plot([1, 2, 3], [2, 1, 3], label="a line")
        ax.set_xlabel("x")
        ax.legend()
        entitle(figure, "a study")
    return [file.read_bytes() for file in save(figure, path)]
