"""Find the smallest feature map to which a network applies a norm. No torch here."""

from typing import Any

import numpy as np

from res2net.architecture import Architecture
from res2net.layout import lay_out
from res2net.tally import Count, ImageSize, Size, Tally, size_of


class _Sides(Tally):
    """Track sizes while a skeleton counts: a norm gets the output of the layer before it."""

    def __init__(self) -> None:
        super().__init__()
        self._side = 0
        self.smallest: int | None = None

    def conv(self, *channels: Any, size: Size, **rest: Any) -> None:
        super().conv(*channels, size=size, **rest)
        self._side = max(size)

    def norm(self, channels: Count, *, times: Count = 1) -> None:
        super().norm(channels, times=times)
        if np.any(channels * times) and self._side:
            sides = [self._side] if self.smallest is None else [self._side, self.smallest]
            self.smallest = min(sides)


def smallest_normed_side(architecture: Architecture, *, image_size: ImageSize) -> int | None:
    """Compute the longer side of the smallest map that any batch norm of a network receives.

    If it is 1, a training pass needs two images: a batch norm cannot normalise a single number.

    Args:
        architecture: the network.
        image_size: side of the square input in pixels, or height and width.

    Returns:
        Pixels; None where the network has no norms.
    """
    sides = _Sides()
    architecture.facts.count_layers(lay_out(architecture), sides, size_of(image_size))
    return sides.smallest
