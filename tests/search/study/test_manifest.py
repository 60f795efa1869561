"""The images that a start left out, and a start that was killed before it wrote them down."""

from pathlib import Path

import pytest

from search.schema.yaml import ConfigError
from search.study.manifest import FILE, note, same_images
from tests.search.spaces import TINY, plan_of

LEFT_OUT = ["train/ant/00007.png: not an image"]


def test_a_start_that_noted_nothing_saw_no_images(tmp_path: Path) -> None:
    """It asks nothing of the next one, as a start that left out none does."""
    assert not (tmp_path / FILE).exists()
    same_images(tmp_path, LEFT_OUT)
    plan = plan_of(tmp_path)
    note(tmp_path, plan, space=TINY, command=["run"], left_out=[])
    with pytest.raises(ConfigError, match=r"repaired or damaged since: train/ant/00007.png"):
        same_images(tmp_path, LEFT_OUT)
    note(tmp_path, plan, space=TINY, command=["run"], left_out=LEFT_OUT)
    same_images(tmp_path, LEFT_OUT)
