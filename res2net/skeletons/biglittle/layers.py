"""Count the layers of the Big-Little skeleton. No torch here."""

from res2net.blocks.base import Block, Position
from res2net.skeletons.base import Layout, Stage
from res2net.skeletons.biglittle.branches import ALPHA, little_blocks, little_shape
from res2net.skeletons.run import count_run
from res2net.tally import Size, Tally, strided


def count_layers(layout: Layout, tally: Tally, size: Size) -> int:
    """Add stem and stages for images of this size; return the number of output channels."""
    size, channels = _count_stem(layout, tally, size), layout.planes
    for index, stage in enumerate(layout.stages):
        half = strided(size, 2)
        tally.conv_norm(channels, stage.out, size=half)  # the shortcut of the branch or stage
        if index == 3:
            first = stage.opening(channels)
            count_run(
                tally, layout.block, stage.shape, first=first, blocks=stage.blocks, size=size
            )
        else:
            size = _count_branches(tally, layout.block, stage, channels, size)
        channels = stage.out
    return channels


def _count_stem(layout: Layout, tally: Tally, size: Size) -> Size:
    planes, slim = layout.planes, layout.planes // ALPHA
    size, after = strided(size, 2), strided(strided(size, 2), 2)
    tally.conv_norm(layout.channels, planes, kernel=7, size=size)
    tally.conv_norm(planes, planes, kernel=3, size=after)
    tally.conv_norm(planes, slim, kernel=3, size=size)
    tally.conv_norm(slim, slim, kernel=3, size=after)
    tally.conv_norm(slim, planes, size=after)
    tally.conv_norm(planes, planes, size=after)
    return after


def _count_branches(
    tally: Tally, block: Block, stage: Stage, channels: int, size: Size
) -> Size:
    """Add a big branch at half the size, a little branch, and a block applied to their sum."""
    out, slim = stage.out, stage.out // ALPHA
    big, little = Position(channels, out, stride=2), Position(channels, slim)
    over = Position(out, out, stage.pace.stride)
    count_run(tally, block, stage.shape, first=big, blocks=stage.blocks - 1, size=size)
    if little.opens:
        tally.conv_norm(channels, slim, size=size)  # the shortcut of the little branch
    few = little_blocks(stage.blocks)
    count_run(tally, block, little_shape(stage.shape), first=little, blocks=few, size=size)
    tally.conv_norm(slim, out, size=size)
    block.count_layers(tally, stage.shape, over, size=size)
    return strided(size, over.stride)
