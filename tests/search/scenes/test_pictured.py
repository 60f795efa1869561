"""What is kept of a few scenes comes back as it was; what is damaged is said."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from search.images.sets import digits
from search.scenes.digit_scenes import Digits, DigitScenes
from search.scenes.pictured import Pictured, read, save
from search.scenes.scene import Scene


def alike(one: Scene, other: Scene) -> bool:
    sides = [(getattr(one, field.name), getattr(other, field.name)) for field in fields(Scene)]
    return all(np.array_equal(a, b) if a is not None else b is None for a, b in sides)


def test_scenes_come_back_as_they_were(tmp_path: Path) -> None:
    train, _ = digits(Path())
    part = DigitScenes(Digits(train[0][..., 0], train[1]), purpose="test", count=3)
    some = Scene(name="", image=part[0].image, semantic=np.ones((96, 96), np.uint8))
    kept = [Pictured(part[row], some) for row in range(3)]
    save(tmp_path / "one.npz", kept, {"task": "segmentation"})
    found, facts = read(tmp_path / "one.npz")
    assert len(found) == 3
    assert facts["task"] == "segmentation"
    for before, after in zip(kept, found, strict=True):
        assert alike(before.truth, after.truth)
        assert np.array_equal(after.predicted.semantic, some.semantic)  # type: ignore[arg-type]  # it has one
        assert after.predicted.boxes is None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "one.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"one\.npz: contains no scenes, or is damaged"):
        read(path)
