"""Lay out a network or a grid of networks for its skeleton to build, count or trace.

No torch here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from res2net.architecture import Architecture
from res2net.blocks import block_of
from res2net.blocks.base import Shape
from res2net.skeletons.base import Layout, Stage
from res2net.tally import Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimensions:
    """Describe the dimensions that a grid varies, with one entry per stage except for `se`.

    The shapes of arrays must broadcast together.
    """

    blocks: Sequence[Count]
    width: Sequence[Count]
    scale: Sequence[Count]
    cardinality: Sequence[Count]
    se: Count


def dimensions_of(architecture: Architecture) -> Dimensions:
    """Take the dimensions of one network."""
    return Dimensions(
        blocks=architecture.blocks,
        width=architecture.widths,
        scale=architecture.scales,
        cardinality=architecture.cardinalities,
        se=int(architecture.se),
    )


def lay_out(
    base: Architecture,
    dims: Dimensions | None = None,
    *,
    output_stride: int | None = None,
    last: int | None = None,
) -> Layout:
    """Lay out a network, or the networks that differ from it in some dimensions only.

    Args:
        base: provides block, skeleton, channels, planes, version and first block.
        dims: dimensions of a grid; None for those of `base` itself.
        output_stride: stride of the last stage relative to the image; None for the skeleton's
            own.
        last: number of the last stage included, counted from 1; None for all stages.

    Raises:
        ArchitectureError: the skeleton has no such output stride, or the block cannot be found.
    """
    facts, dims = base.facts, dims or dimensions_of(base)
    stages = [
        Stage(
            name=facts.stages[index],
            blocks=dims.blocks[index],
            shape=Shape(
                dims.width[index] * 2**index,  # widths double from stage to stage
                dims.scale[index],
                dims.cardinality[index],
                dims.se,
                base.first_block,
            ),
            out=facts.expansion * base.planes * 2**index,
            pace=pace,
        )
        for index, pace in enumerate(facts.pace(output_stride)[:last])
    ]
    return Layout(
        block=block_of(base.block),
        channels=base.channels,
        planes=base.planes,
        version=base.version,
        stem_stride=facts.stem_stride,
        stages=tuple(stages),
    )
