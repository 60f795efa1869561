"""Count which splits of a block are convolved, and their paths (Eq. 1). No torch here.

A block that opens a stage (it changes stride or channels) sums no splits, because their sides
may differ. Any other block convolves all splits but the last, each summed with the one before
it.
"""

from res2net.blocks.base import Paths, Position, Shape
from res2net.tally import Count


def passing_splits(shape: Shape, position: Position) -> Count:
    """Count the splits that are not convolved: only the last one, or none."""
    if position.opens and shape.first_block == "all":
        return 0
    return (shape.scale > 1) * 1


def convolved_splits(shape: Shape, position: Position) -> Count:
    """Count the splits that are convolved."""
    return shape.scale - passing_splits(shape, position)


def split_paths(shape: Shape, position: Position) -> Paths:
    """Count the paths through the splits, whose convolutions are 3 pixels wide.

    An opening block averages or convolves its last split; both are 3 pixels wide.
    """
    scale = int(shape.scale)
    if position.opens or scale == 1:
        return {3: scale}
    # A path enters the run of convolutions at any split and leaves after any later one.
    convolutions = scale - 1
    runs = {1 + 2 * run: convolutions - run + 1 for run in range(1, convolutions + 1)}
    return {1: 1} | runs  # 1 pixel: the split that is not convolved
