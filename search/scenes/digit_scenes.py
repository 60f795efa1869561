"""Scenes composed from scikit-learn's handwritten digits: everything in them is known exactly.

Digits of many sizes, slightly turned, in colours, on a background with blobs that are not
digits. They are synthetic: for checking that a task works, and for questions about size.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from search.images.sets import digits
from search.scenes.scene import Part, Scene, SceneSplits
from search.schema.data import PlannedData
from search.schema.seeds import seed_of

SIDE = 96  # pixels of an image as composed
REFERENCE = (
    320  # side at which the sizes of COCO (small below 32 pixels) are those of the digits
)
JOINTS = ("top left", "top right", "bottom right", "bottom left", "middle")
_MIRRORED = (1, 0, 3, 2, 4)
_SIZES = (12.0, 56.0)  # side in pixels of a digit's frame, before it is turned
_MOST = 5  # digits per scene, at most
_TURN = 25.0  # degrees, in either direction
_TRIES = 20  # to find a free place
_APART = 2  # pixels between two frames
_CONTRAST = 90  # of 255, in at least one channel
_INK = 90  # of 255: pixels from this value on belong to a digit
_HELD_OUT = 300  # digits used only in scenes to validate on
_FEW = (0, 1, 7)  # digits that are quickly learned to be told apart
_SEED = 0  # of every scene; never the study's, so that studies are comparable

_Bytes = npt.NDArray[np.uint8]
_Labels = npt.NDArray[np.int64]
_Box = tuple[float, float, float, float]


class Digits(NamedTuple):
    """Handwritten digits to compose from: (N, 8, 8), 0 to 255, and their classes (N,)."""

    grey: _Bytes
    labels: npt.NDArray[np.int64]

    def of(self, kinds: Sequence[int]) -> "Digits":
        """The digits of some kinds, with classes renumbered."""
        kept = np.isin(self.labels, kinds)
        return Digits(self.grey[kept], np.searchsorted(kinds, self.labels[kept]))


class DigitScenes:
    """Scenes of some digits.

    Args:
        digits: digits to compose from.
        purpose: purpose of the scenes, such as "train": each purpose has its own scenes.
        count: number of scenes.
        kinds: kinds of digits, ascending; no others are used.

    Attributes:
        classes, joints, mirrored: as in `search.scenes.scene.Scenes`.
    """

    joints: tuple[str, ...] = JOINTS
    mirrored: tuple[int, ...] = _MIRRORED

    def __init__(
        self, digits: Digits, *, purpose: str, count: int, kinds: Sequence[int] = range(10)
    ) -> None:
        self.classes = tuple(map(str, kinds))
        self._digits, self._purpose, self._count = digits.of(kinds), purpose, count
        self._made = lru_cache(maxsize=None)(self._make)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Scene:
        """The scene with a number; IndexError where there is none."""
        if not 0 <= index < self._count:
            raise IndexError(index)
        return self._made(index)

    def _make(self, index: int) -> Scene:
        rng = np.random.default_rng(seed_of(_SEED, f"digit scene, {self._purpose}", index))
        image: npt.NDArray[Any] = _background(rng)
        placed = list(_places(rng))
        masks = np.zeros((len(placed), SIDE, SIDE), bool)
        joints = np.zeros((len(placed), len(JOINTS), 3), np.float32)
        chosen = rng.integers(len(self._digits.labels), size=len(placed))
        for at, (place, digit) in enumerate(zip(placed, chosen.tolist(), strict=True)):
            ink = _drawn(self._digits.grey[digit], place)
            shade = ink[..., None].astype(np.float32) / 255
            image = image * (1 - shade) + _standing_out(rng, image.mean((0, 1))) * shade
            masks[at] = ink >= _INK
            joints[at] = _joints(place)
        labels = self._digits.labels[chosen]
        return Scene(
            name=f"{self._purpose} {index}",
            image=image.round().clip(0, 255).astype(np.uint8),
            boxes=np.array([_box(mask) for mask in masks], np.float32).reshape(-1, 4),
            labels=labels,
            crowd=np.zeros(len(placed), bool),
            areas=masks.sum((1, 2)).astype(np.float32),
            masks=masks,
            semantic=_semantic(masks, labels),
            saliency=np.where(masks.any(0), np.uint8(255), np.uint8(0)),
            keypoints=joints,
        )


def digit_scenes(data: PlannedData, root: Path) -> SceneSplits:
    """Scenes to train on, to validate on and to test: no two parts share a digit."""
    return _scenes(data, root, range(10))


def few_digit_scenes(data: PlannedData, root: Path) -> SceneSplits:
    """The same, with only three kinds of digits."""
    return _scenes(data, root, _FEW)


def _scenes(data: PlannedData, root: Path, kinds: Sequence[int]) -> SceneSplits:
    (images, labels), (others, of_others) = digits(root)
    cut = len(labels) - _HELD_OUT

    def part(purpose: str, grey: _Bytes, of_digits: _Labels, count: int) -> Part:
        own = Digits(grey[..., 0], of_digits)
        scenes = DigitScenes(own, purpose=purpose, count=count, kinds=kinds)
        return Part(scenes, range(count))

    return SceneSplits(
        train=part("train", images[:cut], labels[:cut], data.train),
        validation=part("validation", images[cut:], labels[cut:], data.validation),
        test=part("test", others, of_others, data.test),
        classes=tuple(map(str, kinds)),
        joints=DigitScenes.joints,
        mirrored=DigitScenes.mirrored,
        scale=REFERENCE / SIDE,
    )


class _Place(NamedTuple):
    """The position of a digit: middle and side of its frame in pixels, and its angle."""

    x: float
    y: float
    side: float
    degrees: float

    @property
    def reach(self) -> float:
        """Half the side of the square that encloses the turned frame."""
        turn = np.radians(abs(self.degrees))
        return float(self.side / 2 * (np.cos(turn) + np.sin(turn)))


def _places(rng: np.random.Generator) -> list[_Place]:
    """One to five places that do not touch; sizes are uniform in their logarithm."""
    placed: list[_Place] = []
    for _ in range(int(rng.integers(1, _MOST + 1))):
        side = float(np.exp(rng.uniform(*np.log(_SIZES))))
        degrees = float(rng.uniform(-_TURN, _TURN))
        reach = _Place(0, 0, side, degrees).reach
        for _ in range(_TRIES):
            x, y = rng.uniform(reach, SIDE - reach, 2).tolist()
            one = _Place(x, y, side, degrees)
            if all(_are_apart(one, other) for other in placed):
                placed.append(one)
                break
    return placed


def _are_apart(one: _Place, other: _Place) -> bool:
    least = one.reach + other.reach + _APART
    return abs(one.x - other.x) >= least or abs(one.y - other.y) >= least


def _background(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Soft clouds of one colour, and up to three blobs."""
    coarse = rng.normal(0, 18, (6, 6, 3)) + rng.uniform(60, 190, 3)
    small = Image.fromarray(coarse.clip(0, 255).astype(np.uint8))
    picture = small.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(0, 4))):
        x, y = rng.uniform(0, SIDE, 2)
        wide, high = rng.uniform(4, 20, 2)
        draw.ellipse((x - wide, y - high, x + wide, y + high), fill=_colour(rng))
    noise = rng.normal(0, 6, (SIDE, SIDE, 3)).astype(np.float32)
    return np.asarray(picture, np.float32) + noise


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = rng.integers(0, 256, 3).tolist()
    return red, green, blue


def _standing_out(
    rng: np.random.Generator, background: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """A colour that differs from the background's."""
    while True:
        colour = np.array(_colour(rng), np.float32)
        if np.abs(colour - background).max() >= _CONTRAST:
            return colour


def _drawn(grey: _Bytes, place: _Place) -> _Bytes:
    """(SIDE, SIDE), the ink of a digit at its place, 0 to 255."""
    scale, turn = place.side / 8, np.radians(place.degrees)
    cos, sin = np.cos(turn) / scale, np.sin(turn) / scale
    # Maps a pixel of the scene back to one of the digit.
    matrix = (cos, sin, 4 - cos * place.x - sin * place.y,
              -sin, cos, 4 + sin * place.x - cos * place.y)  # fmt: skip
    drawn = Image.fromarray(grey).transform(
        (SIDE, SIDE), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC
    )
    return np.asarray(drawn)


def _joints(place: _Place) -> npt.NDArray[np.float32]:
    """(5, 3): the corners of the turned frame and its middle, all visible."""
    turn = np.radians(place.degrees)
    half = place.side / 2
    corners = np.array([(-half, -half), (half, -half), (half, half), (-half, half), (0, 0)])
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = corners @ turned.T + (place.x, place.y)
    return np.column_stack([points, np.full(len(points), 2)]).astype(np.float32)


def _box(mask: npt.NDArray[np.bool_]) -> _Box:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def _semantic(masks: npt.NDArray[np.bool_], labels: npt.NDArray[np.int64]) -> _Bytes:
    """The class of each pixel, 0 for the background and from 1 on for the digits."""
    found = np.zeros((SIDE, SIDE), np.uint8)
    for mask, label in zip(masks, labels, strict=True):
        found[mask] = label + 1
    return found
