"""Brings images to squares of one side: random crops for training, whole images for scores."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from search.scenes.scene import Part, Scene
from search.tasks.scenes import MEAN, Example, SceneBatch, as_image, normalised

_PIXELS = 1 << 20  # pixels of the images scored at once


class Square(NamedTuple):
    """A whole scene in the top left corner of a square; the rest has the mean colour."""

    scene: Scene
    image: Tensor  # (3, side, side), normalised
    height: int  # of the scene in the square, in pixels
    width: int


class Crops:
    """Makes examples: scaled at random, cropped at random to a square, mirrored.

    As in DeepLab (Chen et al., arXiv:1606.00915): the image is fitted into the square, scaled
    by
    a random factor, and a square is cropped from it. Outside the image the square has the mean
    colour, and `fill` in its map.

    Args:
        side: side of the square, in pixels.
        scales: range of the factor.
        flip: whether half of the images are mirrored.
        fill: value of the map outside the image.
    """

    def __init__(
        self, *, side: int, scales: tuple[float, float], flip: bool, fill: int
    ) -> None:
        from torchvision import tv_tensors  # noqa: PLC0415 - takes a second
        from torchvision.transforms import v2  # noqa: PLC0415

        self._side, self._scales = side, scales
        self._image, self._map = tv_tensors.Image, tv_tensors.Mask
        outside: dict[Any, Any] = {self._image: list(MEAN), self._map: fill}
        self._transform = v2.Compose(
            [
                v2.RandomCrop(side, pad_if_needed=True, fill=outside),
                v2.RandomHorizontalFlip(0.5 if flip else 0.0),
            ]
        )

    def example(self, scene: Scene, of_pixels: Any) -> Example:
        """An example whose target is a map of the pixels.

        Args:
            scene: gives the image.
            of_pixels: (H, W) numbers below 256.
        """
        low, high = self._scales
        image, answer = as_image(scene), torch.from_numpy(of_pixels)[None]
        size = _fitted(image, self._side, times=low + (high - low) * torch.rand(()).item())
        # Both are sampled at the middles of pixels; plain "nearest" samples maps at pixel
        # corners, half a pixel off the image.
        answer = F.interpolate(answer[None], size, mode="nearest-exact")[0]
        image, cut = self._transform(self._image(_resized(image, size)), self._map(answer))
        return Example(
            normalised(image.as_subclass(Tensor)), {"map": cut.as_subclass(Tensor)[0]}
        )


def whole(scene: Scene, side: int) -> Square:
    """A scene fitted into a square.

    Args:
        scene: with an image of any size.
        side: side of the square, in pixels.
    """
    image = as_image(scene)
    height, width = _fitted(image, side)
    image = _resized(image, (height, width))
    padded = F.pad(normalised(image), (0, side - width, 0, side - height))
    return Square(scene, padded, height, width)


def _fitted(image: Tensor, side: int, *, times: float = 1.0) -> tuple[int, int]:
    """Height and width of an image whose longer side is `times` the side of a square."""
    high, wide = image.shape[1:]
    factor = times * side / max(high, wide)
    return max(1, round(high * factor)), max(1, round(wide * factor))


def _resized(image: Tensor, size: tuple[int, int]) -> Tensor:
    if image.shape[1:] == size:
        return image
    return F.interpolate(
        image[None], size, mode="bilinear", antialias=True, align_corners=False
    )[0]


def squares(part: Part, side: int) -> Iterator[list[Square]]:
    """All scenes of a part, each fitted into a square, in groups of a fixed number."""
    size = max(1, _PIXELS // side**2)
    for start in range(0, len(part), size):
        rows = range(start, min(start + size, len(part)))
        yield [whole(part[row], side) for row in rows]


def unfitted(of_square: Tensor, square: Square) -> Tensor:
    """A prediction for the pixels of a scene, from the one for those of its square.

    Args:
        of_square: (C, side, side).
        square: the square that holds the scene.

    Returns:
        (C, H, W), bilinear where the scene is of another size.
    """
    there = of_square[None, :, : square.height, : square.width]
    size = square.scene.image.shape[:2]
    if there.shape[-2:] == size:
        return there[0]
    return F.interpolate(there, size, mode="bilinear", align_corners=False)[0]


def stacked(batch: SceneBatch, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """The images (N, 3, side, side) of a batch in channels_last, and their maps."""
    images = torch.stack([example.image for example in batch.examples]).to(dtype)
    maps = torch.stack([example.target["map"] for example in batch.examples])
    return images.to(memory_format=torch.channels_last), maps
