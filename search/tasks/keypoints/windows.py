"""Cuts a window of fixed size around an object, and maps points into it and back."""

import math
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor
from torch.nn import functional as F

_PADDING = 1.25  # of a box, so that what is around an object is seen (Xiao et al., 2018)


class Window(NamedTuple):
    """Where a window lies in an image: everything in pixels of the image.

    A point at (0, 0) is the corner of the first pixel, whose middle is at (0.5, 0.5).
    """

    x: float  # of its middle
    y: float
    high: float
    wide: float
    turned: float = 0.0  # radians, clockwise as the image is seen

    @classmethod
    def around(cls, box: Any, shape: tuple[int, int]) -> Self:
        """The window of a box, as much larger as its own form and the padding want.

        Args:
            box: x0, y0, x1, y1.
            shape: height and width that it will be resized to.
        """
        x0, y0, x1, y1 = (float(each) for each in box)
        ratio = shape[1] / shape[0]
        high = max(y1 - y0, (x1 - x0) / ratio, 1.0) * _PADDING
        return cls((x0 + x1) / 2, (y0 + y1) / 2, high, high * ratio)

    def moved(self, *, factor: float, turned: float) -> Self:
        """The same middle, larger by a factor and turned by an angle in radians."""
        return self._replace(high=self.high * factor, wide=self.wide * factor, turned=turned)

    def to_image(self, points: Tensor, shape: tuple[int, int]) -> Tensor:
        """Points (..., 2), x and y in the resized window, to points in the image."""
        size = torch.tensor([self.wide, self.high], dtype=points.dtype)
        share = points / torch.tensor([shape[1], shape[0]], dtype=points.dtype) - 0.5
        return self._rotated(share * size, self.turned) + self._middle(points)

    def from_image(self, points: Tensor, shape: tuple[int, int]) -> Tensor:
        """Points (..., 2) in the image to points in the resized window."""
        size = torch.tensor([self.wide, self.high], dtype=points.dtype)
        share = self._rotated(points - self._middle(points), -self.turned) / size + 0.5
        return share * torch.tensor([shape[1], shape[0]], dtype=points.dtype)

    def cut(self, image: Tensor, shape: tuple[int, int]) -> Tensor:
        """What an image (C, H, W) shows in the window, bilinear; zeros outside of it.

        Returns:
            (C, *shape).
        """
        rows = torch.arange(shape[0], dtype=torch.float64) + 0.5
        columns = torch.arange(shape[1], dtype=torch.float64) + 0.5
        y, x = torch.meshgrid(rows, columns, indexing="ij")
        there = self.to_image(torch.stack([x, y], dim=-1), shape)
        size = torch.tensor([image.shape[2], image.shape[1]], dtype=torch.float64)
        grid = (2 * there / size - 1).to(image.dtype)
        return F.grid_sample(image[None], grid[None], align_corners=False)[0]

    def _middle(self, points: Tensor) -> Tensor:
        return torch.tensor([self.x, self.y], dtype=points.dtype)

    @staticmethod
    def _rotated(points: Tensor, angle: float) -> Tensor:
        cos, sin = math.cos(angle), math.sin(angle)
        matrix = torch.tensor([[cos, sin], [-sin, cos]], dtype=points.dtype)
        return points @ matrix


def mirrored(image: Tensor, box: Any, points: Tensor, swap: tuple[int, ...]) -> Any:
    """An object of a mirrored image.

    Args:
        image: (C, H, W).
        box: x0, y0, x1, y1.
        points: (K, 3) of it.
        swap: of each keypoint the one that it is in a mirrored image.

    Returns:
        The three of the mirrored image.
    """
    width = image.shape[2]
    x0, y0, x1, y1 = (float(each) for each in box)
    points = points[list(swap)].clone()
    points[:, 0] = width - points[:, 0]
    return image.flip(2), (width - x1, y0, width - x0, y1), points
