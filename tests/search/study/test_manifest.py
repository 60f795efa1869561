"""The manifest where a start was killed before it wrote one."""

from pathlib import Path

from search.study.manifest import same_images


def test_a_start_that_noted_nothing_saw_no_images(tmp_path: Path) -> None:
    same_images(tmp_path, ["train/ant/00007.png: not an image"])
