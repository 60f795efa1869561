"""Reads images and maps of annotated data sets from files, one by one.

Pixels are used as stored, because that is how they were annotated: a rotation in EXIF is not
applied.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from search.images.looks import formats, of_8_bits
from search.scenes.findings import FileError

# What PIL raises for files that are damaged, not images or too large to be images.
DAMAGED = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)
_Bytes = npt.NDArray[np.uint8]
Size = tuple[int, int]  # height and width in pixels


def picture(path: Path) -> _Bytes:
    """Read a file as (H, W, 3).

    Raises:
        FileError: it cannot be decoded.
    """
    try:
        with Image.open(path, formats=formats()) as image:
            return np.array(of_8_bits(image).convert("RGB"))  # a writable copy
    except DAMAGED as error:
        raise _undecoded(path, error) from error


def size_of(path: Path) -> Size:
    """Size of an image, from the beginning of its file.

    Raises:
        FileError: it is not an image.
    """
    try:
        with Image.open(path, formats=formats()) as image:
            return image.height, image.width
    except DAMAGED as error:
        raise _undecoded(path, error) from error


def decode(path: Path, *, size: Size) -> None:
    """Check that an image can be decoded completely, as small as its format allows.

    Raises:
        FileError: it cannot, or it has another size.
    """
    try:
        with Image.open(path, formats=formats()) as image:
            found = image.height, image.width
            image.draft("RGB", (1, 1))
            image.load()
    except DAMAGED as error:
        raise _undecoded(path, error) from error
    if found != size:
        raise FileError(
            "images of another size than their annotation says",
            f"{path} of {_shown(found)} instead of {_shown(size)}",
        )


def palette_map(path: Path) -> _Bytes:
    """(H, W), the palette indices of a map, or its values if it is grey.

    Raises:
        FileError: it cannot be decoded, or represents classes by colours.
    """
    found = _map(path, ("P", "L"))
    if found is None:
        raise FileError(
            "maps of colours, where classes are expected as indices of a palette", str(path)
        )
    return found


def grey_map(path: Path) -> _Bytes:
    """(H, W), 0 to 255, of a map in grey, in black and white or in colours.

    Raises:
        FileError: it cannot be decoded, or its values are 0 and 1.
    """
    found = _map(path, ())
    assert found is not None, "of any mode"
    if found.any() and found.max() == 1:
        raise FileError("maps whose values are 0 and 1, where 255 should stand out", str(path))
    return found


def same_size(image: npt.NDArray[Any], of_pixels: npt.NDArray[Any], path: Path) -> None:
    """Check that a map has the size of its image.

    Raises:
        FileError: it has not.
    """
    if image.shape[:2] != of_pixels.shape:
        raise FileError(
            "maps of another size than their image",
            f"{path} of {_shown(of_pixels.shape)} instead of {_shown(image.shape[:2])}",
        )


def _map(path: Path, modes: tuple[str, ...]) -> _Bytes | None:
    """The content of a file; None if its mode is not among `modes`."""
    try:
        with Image.open(path, formats=formats()) as image:
            if not modes:
                return np.array(of_8_bits(image).convert("L"))
            return np.array(image) if image.mode in modes else None
    except DAMAGED as error:
        raise FileError("maps that cannot be decoded", f"{path} ({error})") from error


def _undecoded(path: Path, error: BaseException) -> FileError:
    if isinstance(error, FileNotFoundError):
        return FileError("images that are listed and not there", str(path))
    return FileError("images that cannot be decoded", f"{path} ({error})")


def _shown(size: tuple[int, ...]) -> str:
    return f"{size[1]} x {size[0]} px"
