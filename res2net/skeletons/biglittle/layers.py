"""Count the layers of the Big-Little skeleton. No torch here."""

from res2net.blocks.base import Block, Position
from res2net.skeletons.base import Layout, Stage
from res2net.skeletons.biglittle.branches import ALPHA, little_blocks, little_shape
from res2net.skeletons.run import count_run
from res2net.tally import Tally, strided


def count_layers(layout: Layout, tally: Tally, side: int) -> int:
    """Add stem and stages for images of this side; returns the channels put out."""
    side, channels = _count_stem(layout, tally, side), layout.planes
    for index, stage in enumerate(layout.stages):
        half = strided(side, 2)
        tally.conv_norm(channels, stage.out, side=half)  # the shortcut of the branch or stage
        if index == 3:
            first = stage.opening(channels)
            count_run(
                tally, layout.block, stage.shape, first=first, blocks=stage.blocks, side=side
            )
        else:
            side = _count_branches(tally, layout.block, stage, channels, side)
        channels = stage.out
    return channels


def _count_stem(layout: Layout, tally: Tally, side: int) -> int:
    planes, slim = layout.planes, layout.planes // ALPHA
    side, after = strided(side, 2), strided(strided(side, 2), 2)
    tally.conv_norm(layout.channels, planes, kernel=7, side=side)
    tally.conv_norm(planes, planes, kernel=3, side=after)
    tally.conv_norm(planes, slim, kernel=3, side=side)
    tally.conv_norm(slim, slim, kernel=3, side=after)
    tally.conv_norm(slim, planes, side=after)
    tally.conv_norm(planes, planes, side=after)
    return after


def _count_branches(tally: Tally, block: Block, stage: Stage, channels: int, side: int) -> int:
    """Add a big branch at half the side, a little one, and a block over their sum."""
    out, slim = stage.out, stage.out // ALPHA
    big, little = Position(channels, out, stride=2), Position(channels, slim)
    over = Position(out, out, stage.pace.stride)
    count_run(tally, block, stage.shape, first=big, blocks=stage.blocks - 1, side=side)
    if little.opens:
        tally.conv_norm(channels, slim, side=side)  # the shortcut of the little branch
    few = little_blocks(stage.blocks)
    count_run(tally, block, little_shape(stage.shape), first=little, blocks=few, side=side)
    tally.conv_norm(slim, out, side=side)
    block.count_layers(tally, stage.shape, over, side=side)
    return strided(side, over.stride)
