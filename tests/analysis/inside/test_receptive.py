"""Paths by scale: nothing lost on the way into the picture."""

from pathlib import Path

import pytest
from PIL import Image

from analysis.inside.receptive import draw_paths_by_scale, main, paths_by_scale
from res2net import parse
from res2net.receptive import network_paths, summary

NETWORKS = {4: "Res2Net-DLA-60", 8: "Res2Net-50-14w-8s"}  # by scale


@pytest.mark.parametrize("scale", NETWORKS)
def test_every_path_is_in_one_range(scale: int) -> None:
    network = parse(NETWORKS[scale])
    table, paths = paths_by_scale(network), network_paths(network)
    assert list(table["scale"].unique()) == [str(n) for n in range(1, 9)]
    rows = table[table["scale"] == str(scale)]
    for row in rows.itertuples():
        inside = sum(n for field, n in paths.items() if row.low_px <= field <= row.high_px)
        assert row.paths == inside
        assert 10**row.log10_paths == pytest.approx(inside)
    assert sum(rows["paths"]) == summary(paths).paths


def test_what_is_drawn_is_a_line_a_scale_and_the_image() -> None:
    network = parse("29d-6c-4s")
    table = paths_by_scale(network)
    ax = draw_paths_by_scale(table, network=network).axes[0]
    *lines, image = ax.lines
    assert list(image.get_xdata()) == [32, 32]
    for scale, line in enumerate(lines, start=1):
        rows = table[table["scale"] == str(scale)]
        assert list(line.get_ydata()) == list(rows["log10_paths"])
        assert (line.get_xdata() >= rows["low_px"]).all()
        assert (line.get_xdata() <= rows["high_px"]).all()
        assert str(line.get_label()).startswith(f"scale {scale}: ")
        assert ("(own)" in str(line.get_label())) == (scale == 4)


def test_paths_beyond_any_float_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.inside.receptive.network_paths", lambda _: {3: 1, 5: 10**400})
    network = parse("29d-6c-4s")
    table = paths_by_scale(network)
    assert table["log10_paths"].max() == 400
    draw_paths_by_scale(table, network=network)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "paths.png"
    assert main(["bLRes2Net-50", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"figure: {out}\n"
    with Image.open(out) as picture:
        assert picture.format == "PNG"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["VGG-16"], "name: 'VGG-16' is not the name"),
        (["ResNet-50", "--out", "/nowhere/at/all.png"], "give a file in a folder that exists"),
        # Before the name is read, so before anything is computed.
        (["VGG-16", "--out", "figure.gif"], "write one of: .png .pdf .svg .jpg"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert message in capsys.readouterr().err
