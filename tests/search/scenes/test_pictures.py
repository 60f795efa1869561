"""Pictures and maps as their files hold them, of 16 bits too."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from search.scenes.pictures import grey_map, picture


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_sixteen_bits_keep_their_shades(tmp_path: Path, ending: str) -> None:
    ramp = np.linspace(0, 65535, 16 * 16).astype(np.uint16).reshape(16, 16)
    path = tmp_path / f"ramp.{ending}"
    Image.fromarray(ramp).save(path)
    expected = np.round(ramp / 257)
    assert np.abs(grey_map(path) - expected).max() <= 1
    assert np.abs(picture(path) - expected[..., None]).max() <= 1
