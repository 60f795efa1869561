"""Reads the class of each pixel, from VOC's palette images and from SBD's .mat files."""

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from search.scenes.findings import FileError
from search.scenes.mapped import Files
from search.scenes.pictures import palette_map
from search.scenes.scene import IGNORED
from search.scenes.voc_xml import CLASSES

Sources = dict[str, Files]  # by image name
_NO_MAT = (
    OSError, ValueError, KeyError, AttributeError, IndexError, TypeError, NotImplementedError,
    EOFError, zlib.error,
)  # fmt: skip


def of_voc(folder: Path, names: Sequence[str]) -> Sources:
    """VOC's own images and maps.

    Args:
        folder: VOC's folder of the year.
        names: names of the images.
    """
    return {
        name: Files(
            folder / "JPEGImages" / f"{name}.jpg", folder / "SegmentationClass" / f"{name}.png"
        )
        for name in names
    }


def of_sbd(dataset: Path, folder: Path, names: Sequence[str]) -> Sources:
    """SBD's maps, of images that VOC has as well.

    Args:
        dataset: SBD's folder.
        folder: VOC's folder, whose images are used where they exist.
        names: names of the images.
    """
    return {name: Files(_image(dataset, folder, name), _mat(dataset, name)) for name in names}


def class_map(path: Path) -> npt.NDArray[np.uint8]:
    """(H, W), the class of each pixel, 0 for the background, `IGNORED` where none counts.

    Raises:
        FileError: it cannot be decoded, or has a class that VOC does not have.
    """
    found = _of_mat(path) if path.suffix == ".mat" else palette_map(path)
    said = np.unique(found)
    unknown = said[(said < 0) | (said > len(CLASSES)) & (said != IGNORED)]
    if unknown.size:
        raise FileError(
            "maps with classes that VOC does not have", f"{path} ({int(unknown[0])})"
        )
    return found.astype(np.uint8)


def _image(dataset: Path, folder: Path, name: str) -> Path:
    of_voc = folder / "JPEGImages" / f"{name}.jpg"
    return of_voc if of_voc.is_file() else dataset / "img" / f"{name}.jpg"


def _mat(dataset: Path, name: str) -> Path:
    return dataset / "cls" / f"{name}.mat"


def _of_mat(path: Path) -> npt.NDArray[Any]:
    from scipy.io import loadmat  # noqa: PLC0415 - slow to import, and only SBD needs it
    from scipy.io.matlab import MatReadError  # noqa: PLC0415

    try:
        found = loadmat(path, squeeze_me=True, struct_as_record=False)
        of_pixels = np.asarray(found["GTcls"].Segmentation)
    except (*_NO_MAT, MatReadError) as error:
        raise FileError(
            "maps that cannot be decoded", f"{path} ({type(error).__name__}: {error})"
        ) from error
    if of_pixels.ndim != 2 or of_pixels.dtype.kind not in "iu":
        raise FileError(
            "maps that cannot be decoded",
            f"{path} (GTcls.Segmentation is not a map of classes)",
        )
    return of_pixels
