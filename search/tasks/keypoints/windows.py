"""Cuts a window of fixed size around an object, and maps points into it and back."""

import math
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor
from torch.nn import functional as F

_PADDING = 1.25  # factor for a box, to include its surroundings (Xiao et al., 2018)


class Window(NamedTuple):
    """The position of a window in an image: everything in pixels of the image.

    A point at (0, 0) is the corner of the first pixel, whose middle is at (0.5, 0.5).
    """

    x: float  # of its middle
    y: float
    high: float
    wide: float
    turned: float = 0.0  # radians, clockwise in the displayed image

    @classmethod
    def around(cls, box: Any, shape: tuple[int, int]) -> Self:
        """The window of a box, enlarged to the target's aspect ratio and by the padding.

        Args:
            box: x0, y0, x1, y1.
            shape: height and width that it will be resized to.
        """
        x0, y0, x1, y1 = (float(each) for each in box)
        ratio = shape[1] / shape[0]
        high = max(y1 - y0, (x1 - x0) / ratio, 1.0) * _PADDING
        return cls((x0 + x1) / 2, (y0 + y1) / 2, high, high * ratio)

    def moved(self, *, factor: float, turned: float) -> Self:
        """The window with the same middle, scaled by a factor and turned by radians."""
        return self._replace(high=self.high * factor, wide=self.wide * factor, turned=turned)

    def to_image(self, points: Tensor, shape: tuple[int, int]) -> Tensor:
        """Map points (..., 2), x and y in the resized window, to points in the image."""
        size = torch.tensor([self.wide, self.high], dtype=points.dtype)
        share = points / torch.tensor([shape[1], shape[0]], dtype=points.dtype) - 0.5
        return self._rotated(share * size, self.turned) + self._middle(points)

    def from_image(self, points: Tensor, shape: tuple[int, int]) -> Tensor:
        """Map points (..., 2) in the image to points in the resized window."""
        size = torch.tensor([self.wide, self.high], dtype=points.dtype)
        share = self._rotated(points - self._middle(points), -self.turned) / size + 0.5
        return share * torch.tensor([shape[1], shape[0]], dtype=points.dtype)

    def cut(self, image: Tensor, shape: tuple[int, int]) -> Tensor:
        """The part of an image (C, H, W) in the window, bilinear; zeros outside the image.

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
    """Mirror an image with an object.

    Args:
        image: (C, H, W).
        box: x0, y0, x1, y1.
        points: (K, 3) of it.
        swap: the keypoint that each one becomes in a mirrored image.

    Returns:
        The mirrored image, box and points.
    """
    width = image.shape[2]
    x0, y0, x1, y1 = (float(each) for each in box)
    points = points[list(swap)].clone()
    points[:, 0] = width - points[:, 0]
    return image.flip(2), (width - x1, y0, width - x0, y1), points
