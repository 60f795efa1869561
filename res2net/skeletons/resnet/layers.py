"""Count the layers of the ResNet skeletons. No torch here."""

from res2net.skeletons.base import Layout
from res2net.skeletons.run import count_run
from res2net.tally import Tally, strided


def count_layers(layout: Layout, tally: Tally, side: int) -> int:
    """Add stem and stages for images of this side; returns the channels put out."""
    side = _count_stem(layout, tally, side)
    channels = layout.planes
    for stage in layout.stages:
        first = stage.opening(channels)
        tally.conv_norm(channels, stage.out, side=strided(side, first.stride))  # shortcut
        side = count_run(
            tally,
            layout.block,
            stage.shape,
            first=first,
            blocks=stage.blocks,
            side=side,
            dilation=stage.pace.dilation,
        )
        channels = stage.out
    return channels


def _count_stem(layout: Layout, tally: Tally, side: int) -> int:
    """Add a 3x3 (CIFAR), a 7x7/2 (v1) or three 3x3 (v1b), then pooling by 2 for ImageNet."""
    planes = layout.planes
    if layout.stem_stride == 1:
        tally.conv_norm(layout.channels, planes, kernel=3, side=side)
        return side
    side = strided(side, 2)
    if layout.version == "v1b":
        half = planes // 2
        tally.conv_norm(layout.channels, half, kernel=3, side=side)
        tally.conv_norm(half, half, kernel=3, side=side)
        tally.conv_norm(half, planes, kernel=3, side=side)
    else:
        tally.conv_norm(layout.channels, planes, kernel=7, side=side)
    return strided(side, 2)
