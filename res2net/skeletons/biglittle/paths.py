"""Trace the paths through the Big-Little skeleton. No torch here."""

from res2net.blocks.base import Block, Position
from res2net.skeletons.base import Layout, Stage
from res2net.skeletons.biglittle.branches import ALPHA, little_blocks, little_shape
from res2net.skeletons.reach import IMAGE, Reach, joined


def trace_paths(layout: Layout) -> Reach:
    """Follow every path from the image through stem and stages."""
    reach, channels = _trace_stem(), layout.planes
    *branching, last = layout.stages
    for stage in branching:
        reach = _trace_branches(reach, layout.block, stage, channels)
        channels = stage.out
    return reach.run(layout.block, last.shape, last.opening(channels), int(last.blocks), 3)


def _trace_stem() -> Reach:
    start = IMAGE.layer(7, 2)
    little = start.layer(3).layer(3, 2).layer(1)
    return joined(start.layer(3, 2), little).layer(1)


def _trace_branches(reach: Reach, block: Block, stage: Stage, channels: int) -> Reach:
    """Pass a big branch at half the side, a little branch, and a block applied to their sum."""
    blocks, out = int(stage.blocks), stage.out
    big = reach.run(block, stage.shape, Position(channels, out, stride=2), blocks - 1, 3)
    little = reach.run(
        block,
        little_shape(stage.shape),
        Position(channels, out // ALPHA),
        int(little_blocks(blocks)),
    ).layer(1)
    # After upsampling, each pixel has the receptive field of its coarse pixel.
    merged = joined(big._replace(jump=little.jump), little)
    over = Position(out, out, stage.pace.stride)
    return merged.block(block, stage.shape, over, shortcut=1 if over.stride == 1 else 3)
