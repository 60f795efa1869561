"""Pictures and maps as their files hold them, of 16 bits too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from search.scenes.findings import FileError, Findings
from search.scenes.photographs import ObjectList
from search.scenes.pictures import decode, grey_map, palette_map, picture, size_of


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_sixteen_bits_keep_their_shades(tmp_path: Path, ending: str) -> None:
    ramp = np.linspace(0, 65535, 16 * 16).astype(np.uint16).reshape(16, 16)
    path = tmp_path / f"ramp.{ending}"
    Image.fromarray(ramp).save(path)
    expected = np.round(ramp / 257)
    assert np.abs(grey_map(path) - expected).max() <= 1
    assert np.abs(picture(path) - expected[..., None]).max() <= 1


def test_no_file_starts_another_program(tmp_path: Path) -> None:
    """Pillow would have Ghostscript draw EPS, whatever the file is called."""
    path = tmp_path / "e.jpg"
    path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 10\n%%EndComments\n")
    readers: list[Callable[[Path], object]] = [
        picture, size_of, grey_map, palette_map, lambda path: decode(path, size=(10, 20)),
    ]  # fmt: skip
    for read in readers:
        with pytest.raises(FileError, match="cannot be decoded"):
            read(path)


def test_a_box_that_float32_would_empty_is_left_out() -> None:
    findings = Findings()
    objects = ObjectList(findings)
    told: dict[str, Any] = {
        "label": 1,
        "crowd": False,
        "area": None,
        "size": (96, 96),
        "where": "x",
    }
    assert not objects.add((95.999999, 10.0, 99.0, 50.0), **told)
    assert objects.add((95.9, 10.0, 99.0, 50.0), **told)
    objects.close()
    left, _, right, _ = objects.made().boxes[0]
    assert left < right
    assert np.float32(96) - right < np.float32(96) - left, "and mirrored"
