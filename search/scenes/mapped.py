"""Scenes of two files each: an image, and a map with a value for each of its pixels."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from search.scenes.pictures import picture, same_size
from search.scenes.scene import Scene


class Files(NamedTuple):
    """An image and its map."""

    image: Path
    map: Path


class Mapped:
    """Scenes that are read from their files on demand.

    Args:
        files: files of each scene.
        read: reads a map's file as (H, W).
        kind: what the maps are.
        classes: classes of pixels, without the background.

    Attributes:
        classes, joints, mirrored: as in `search.scenes.scene.Scenes`.
    """

    joints: tuple[str, ...] = ()
    mirrored: tuple[int, ...] = ()

    def __init__(
        self,
        files: Sequence[Files],
        *,
        read: Callable[[Path], npt.NDArray[np.uint8]],
        kind: Literal["semantic", "saliency"],
        classes: tuple[str, ...],
    ) -> None:
        self._files, self._read, self._kind, self.classes = files, read, kind, classes

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> Scene:
        """The scene with a number.

        Raises:
            FileError: a file cannot be used.
        """
        files = self._files[index]
        image, of_pixels = picture(files.image), self._read(files.map)
        same_size(image, of_pixels, files.map)
        name = files.image.name
        if self._kind == "semantic":
            return Scene(name=name, image=image, semantic=of_pixels)
        return Scene(name=name, image=image, saliency=of_pixels)

    def check(self, index: int) -> None:
        """Check that the files of a scene can be read.

        Raises:
            FileError: they cannot.
        """
        self[index]
