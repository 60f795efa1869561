"""Count the paths through the depthwise-separable block by receptive field. No torch here."""

from res2net.blocks.base import Paths, Position, Shape
from res2net.blocks.splits import split_paths


def count_paths(shape: Shape, position: Position) -> Paths:
    """Count the paths without the shortcut, as defined in `res2net.blocks.base.Block`.

    A pointwise convolution does not widen the receptive field.
    """
    return split_paths(shape, position)
