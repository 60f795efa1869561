"""Count what Eq. 1 of the paper makes of the splits of a block. No torch here.

A block that opens a stage (it changes stride or channels) sums no splits, because their sides
may differ. Any other convolves all splits but the last, each summed with the one before it.
"""

from res2net.blocks.base import Paths, Position, Shape
from res2net.tally import Count


def passing_splits(shape: Shape, position: Position) -> Count:
    """Count the splits that are not convolved: the last one, or none."""
    if position.opens and shape.first_block == "all":
        return 0
    return (shape.scale > 1) * 1


def convolved_splits(shape: Shape, position: Position) -> Count:
    """Count the splits that are convolved."""
    return shape.scale - passing_splits(shape, position)


def split_paths(shape: Shape, position: Position) -> Paths:
    """Count the paths through splits whose convolutions are 3 pixels wide.

    What an opening block does with its last split, averaging or convolving, is 3 pixels wide
    either way.
    """
    scale = int(shape.scale)
    if position.opens or scale == 1:
        return {3: scale}
    # From any split into the run of convolutions, out after any of those that follow.
    convolutions = scale - 1
    runs = {1 + 2 * run: convolutions - run + 1 for run in range(1, convolutions + 1)}
    return {1: 1} | runs  # the split that is not convolved comes first
