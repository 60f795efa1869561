"""A picture is what the suffix of its file says, or refused before it is made."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from analysis.plots.picture import SUFFIXES, PictureError, check_out, write_picture

# How a file of each format begins, as the formats' own standards say.
BEGINS = {
    ".png": (b"\x89PNG\r\n\x1a\n",),
    ".pdf": (b"%PDF-",),
    ".svg": (b"<?xml",),
    ".jpg": (b"\xff\xd8\xff",),
    ".jpeg": (b"\xff\xd8\xff",),
    ".tif": (b"II*\x00", b"MM\x00*"),
    ".tiff": (b"II*\x00", b"MM\x00*"),
    ".webp": (b"RIFF",),
}


@pytest.fixture
def figure() -> Figure:
    made = Figure(figsize=(1, 1))
    made.subplots().set_title("$x_1$")
    return made


def test_every_suffix_that_is_named_is_known() -> None:
    assert set(BEGINS) == set(SUFFIXES)


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".PDF", ".Jpg"])
def test_a_picture_is_what_its_suffix_says_and_twice_the_same(
    suffix: str, figure: Figure, tmp_path: Path
) -> None:
    paths = [check_out(tmp_path / f"{name}.x{suffix}") for name in "ab"]
    for path in paths:
        write_picture(figure, path)
    first, second = (path.read_bytes() for path in paths)
    assert first.startswith(BEGINS[suffix.lower()])
    assert first == second
    assert set(tmp_path.iterdir()) == set(paths), "nothing is left beside them"


@pytest.mark.parametrize("name", ["figure", "figure.", "figure.gif", "figure.docx", ".png"])
def test_other_suffixes_are_refused_with_those_that_are_known(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(PictureError) as caught:
        check_out(tmp_path / name)
    assert all(suffix in str(caught.value) for suffix in SUFFIXES)
    assert not list(tmp_path.iterdir())
