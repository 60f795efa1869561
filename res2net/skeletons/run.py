"""Count a run of blocks, for one network or a grid. No torch here."""

from res2net.blocks.base import Block, Position, Shape
from res2net.tally import Count, Size, Tally, strided


def count_run(  # noqa: PLR0913 - the description of a run, mostly by keyword
    tally: Tally,
    block: Block,
    shape: Shape,
    *,
    first: Position,
    blocks: Count,
    size: Size,
    dilation: int = 1,
) -> Size:
    """Add a run of blocks; only the first may change stride or channels.

    Args:
        tally: to which they are added.
        block: the kind of block.
        shape: the dimensions of each block.
        first: position of the first block; the others follow it without a stride.
        blocks: number of blocks; an integer, or an array for a grid.
        size: size of the input.
        dilation: dilation of the blocks after the first.

    Returns:
        The size of the run's output.
    """
    after = strided(size, first.stride)
    block.count_layers(tally, shape, first, size=size)
    inside = Position(first.out, first.out, dilation=dilation)
    block.count_layers(tally, shape, inside, size=after, times=blocks - 1)
    return after
