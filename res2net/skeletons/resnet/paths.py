"""Trace the paths through the ResNet skeletons. No torch here."""

from res2net.skeletons.base import Layout
from res2net.skeletons.reach import IMAGE, Reach


def trace_paths(layout: Layout) -> Reach:
    """Follow every path from the image through stem and stages."""
    reach, channels = _trace_stem(layout), layout.planes
    for stage in layout.stages:
        first = stage.opening(channels)
        # v1b averages over the stride before it projects.
        shortcut = first.stride if layout.version == "v1b" else 1
        reach = reach.run(layout.block, stage.shape, first, int(stage.blocks), shortcut)
        channels = stage.out
    return reach


def _trace_stem(layout: Layout) -> Reach:
    if layout.stem_stride == 1:
        return IMAGE.layer(3)
    if layout.version == "v1b":
        return IMAGE.layer(3, 2).layer(3).layer(3).pool(3, 2)
    return IMAGE.layer(7, 2).pool(3, 2)
