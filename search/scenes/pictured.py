"""Stores a network's predictions for a few scenes beside the truth, in one file.

The scenes are those that a report draws: the first ones of the test images, not a selection.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from search.scenes.scene import Scene
from search.schema.files import replacing
from search.schema.remote import File

COUNT = 4  # number of scenes
SUFFIX = ".npz"
_FIELDS = (
    "boxes", "labels", "crowd", "areas", "masks", "semantic", "saliency", "keypoints",
)  # fmt: skip
_ABOUT = "about"


class Pictured(NamedTuple):
    """A scene with its true annotations, and with a network's predictions instead."""

    truth: Scene
    predicted: Scene


def save(path: File, pictured: Sequence[Pictured], facts: dict[str, Any]) -> None:
    """Write scenes to a file.

    Args:
        path: path of the file, which ends in .npz; its folder exists.
        pictured: the scenes.
        facts: what else a drawing needs, as JSON, such as names of classes.

    Raises:
        OSError: the disk is full or gone; then there is no file.
    """
    names = [one.truth.name for one in pictured]
    arrays: dict[str, Any] = {_ABOUT: np.array(json.dumps({**facts, "names": names}))}
    for number, one in enumerate(pictured):
        arrays[f"{number}.image"] = one.truth.image
        for side, scene in one._asdict().items():
            arrays |= {
                f"{number}.{side}.{field}": value
                for field in _FIELDS
                if (value := getattr(scene, field)) is not None
            }
    with replacing(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read(path: Path) -> tuple[list[Pictured], dict[str, Any]]:
    """The scenes of a file, and the facts written with them.

    Args:
        path: path of the file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not such a file, or damaged.
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = dict(file)
        facts: dict[str, Any] = json.loads(str(arrays[_ABOUT]))
        return list(_pictured(arrays, facts["names"])), facts
    except (KeyError, EOFError, ValueError, BadZipFile) as error:
        raise ValueError(f"{path}: contains no scenes, or is damaged ({error})") from error


def _pictured(arrays: dict[str, Any], names: Sequence[str]) -> Iterator[Pictured]:
    for number, name in enumerate(names):
        sides = [
            Scene(
                name=name,
                image=arrays[f"{number}.image"],
                **{field: arrays.get(f"{number}.{side}.{field}") for field in _FIELDS},
            )
            for side in Pictured._fields
        ]
        yield Pictured(*sides)
