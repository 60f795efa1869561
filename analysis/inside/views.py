"""Decides how an image is shown to a network: size, border, mean and standard deviation.

Input: a network and the file of its weights. Output: a `View`: that of its training if it is
stored beside the weights, as studies do for weights that they keep.
"""

import json
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageOps

from res2net import Architecture
from res2net.file_names import path_of, printable, text_of
from search.images.looks import as_it_looks, formats

Channels = tuple[float, ...]  # one number for each channel of the images


class CamError(ValueError):
    """The request cannot be drawn; the message states value, rule and remedy."""


class View(NamedTuple):
    """How an image is shown to a network, the same as when its errors are measured."""

    side: int  # pixels that it sees
    border: float  # share of the side that is cut off at each end
    mean: Channels
    std: Channels
    classes: tuple[str, ...] = ()  # by number, if known


_MIDDLE = (1 - 224 / 256) / 2
_IMAGENET = (_MIDDLE, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_CIFAR = (0.0, (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762))  # CIFAR-100's


def view_of(architecture: Architecture, weights: str = "") -> View:
    """Find the view of a network: that of its training, or of its skeleton's evaluation.

    Args:
        architecture: architecture of the network.
        weights: the file of the weights; a .json beside it is read if it exists.

    Raises:
        CamError: that .json cannot be used.
    """
    if architecture.channels not in (1, 3):
        raise CamError(
            f"{architecture.name}: takes images of {architecture.channels} channels, but "
            "pictures have 3, or 1 in grey"
        )
    usual = _usual(architecture)
    file = path_of(text_of(weights))
    path = file.with_suffix(".json") if file.name else None
    if path is None or not path.is_file():
        return View(architecture.image_size, *usual)
    try:
        about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        view = View(
            side=int(about.get("resolution", architecture.image_size)),
            border=0.0 if "resolution" in about else usual[0],
            mean=_numbers(about["mean"], architecture) if "mean" in about else usual[1],
            std=_numbers(about["std"], architecture) if "std" in about else usual[2],
            classes=tuple(printable(str(name)) for name in about.get("classes", ())),
        )
        if view.side < 1 or min(view.std) <= 0:
            raise ValueError(f"resolution {view.side} and std {view.std} are not above 0")
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise CamError(
            f"{path}: does not say how its network is shown images ({error}); restore it from "
            "a copy, or move it away to use what is usual for the skeleton"
        ) from error
    return view


def opened(path: Path) -> Image.Image:
    """Read an image as displayed, as studies read theirs; raise CamError if it is not one."""
    try:
        with warnings.catch_warnings(), Image.open(path, formats=formats()) as image:
            warnings.simplefilter("ignore")
            return as_it_looks(image)
    except MemoryError:
        raise
    except Exception as error:  # Pillow's plugins raise many kinds of errors for broken content
        raise CamError(
            f"{path}: cannot be read as an image ({error}); name a JPEG or PNG file"
        ) from error


def centre(image: Image.Image, side: int, *, border: float) -> Image.Image:
    """Crop the central square without its border, resized to `side` pixels."""
    return ImageOps.fit(image, (side, side), Image.Resampling.BILINEAR, bleed=border)


def _usual(architecture: Architecture) -> tuple[float, Channels, Channels]:
    """Border, mean and std of the skeleton's evaluation; averaged over colours for grey."""
    border, mean, std = _CIFAR if architecture.skeleton == "cifar" else _IMAGENET
    if architecture.channels == 1:
        return border, (sum(mean) / 3,), (sum(std) / 3,)
    return border, mean, std


def _numbers(values: Any, architecture: Architecture) -> Channels:
    numbers = tuple(map(float, values))
    if len(numbers) != architecture.channels:
        raise ValueError(
            f"{len(numbers)} channels, where {architecture.name} has {architecture.channels}"
        )
    return numbers
