"""Count a run of blocks, of one network or of a grid. No torch here."""

from res2net.blocks.base import Block, Position, Shape
from res2net.tally import Count, Size, Tally, strided


def count_run(  # noqa: PLR0913 - what a run is, all but the tally by keyword
    tally: Tally,
    block: Block,
    shape: Shape,
    *,
    first: Position,
    blocks: Count,
    size: Size,
    dilation: int = 1,
) -> Size:
    """Add blocks of which only the first may change stride or channels.

    Args:
        tally: adds them up.
        block: of which kind they are.
        shape: of each block.
        first: position of the first block; the others follow it without a stride.
        blocks: how many; an integer, or an array for a grid.
        size: of the input.
        dilation: of the blocks after the first.

    Returns:
        The size that the run puts out.
    """
    after = strided(size, first.stride)
    block.count_layers(tally, shape, first, size=size)
    inside = Position(first.out, first.out, dilation=dilation)
    block.count_layers(tally, shape, inside, size=after, times=blocks - 1)
    return after
