"""The images that a start left out, and a start that was killed before it wrote them down."""

import json
from pathlib import Path

import pytest

from search.schema.yaml import ConfigError
from search.study.manifest import FILE, same_images

LEFT_OUT = ["train/ant/00007.png: not an image"]


def test_a_start_that_noted_nothing_saw_no_images(tmp_path: Path) -> None:
    """It asks nothing of the next one, as a start that left out none does."""
    assert not (tmp_path / FILE).exists()
    same_images(tmp_path, LEFT_OUT)
    (tmp_path / FILE).write_text(json.dumps({"version": 4, "left_out": []}), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mended or damaged since: train/ant/00007.png"):
        same_images(tmp_path, LEFT_OUT)
    (tmp_path / FILE).write_text(
        json.dumps({"version": 4, "left_out": LEFT_OUT}), encoding="utf-8"
    )
    same_images(tmp_path, LEFT_OUT)
