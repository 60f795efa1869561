"""Count the layers of the ResNet skeletons. No torch here."""

from res2net.skeletons.base import Layout
from res2net.skeletons.run import count_run
from res2net.tally import Size, Tally, strided


def count_layers(layout: Layout, tally: Tally, size: Size) -> int:
    """Add stem and stages for images of this size; return the number of output channels."""
    size = _count_stem(layout, tally, size)
    channels = layout.planes
    for stage in layout.stages:
        first = stage.opening(channels)
        tally.conv_norm(channels, stage.out, size=strided(size, first.stride))  # shortcut
        size = count_run(
            tally,
            layout.block,
            stage.shape,
            first=first,
            blocks=stage.blocks,
            size=size,
            dilation=stage.pace.dilation,
        )
        channels = stage.out
    return channels


def _count_stem(layout: Layout, tally: Tally, size: Size) -> Size:
    """Add a 3x3 (CIFAR), a 7x7/2 (v1) or three 3x3 (v1b), then pooling by 2 for ImageNet."""
    planes = layout.planes
    if layout.stem_stride == 1:
        tally.conv_norm(layout.channels, planes, kernel=3, size=size)
        return size
    size = strided(size, 2)
    if layout.version == "v1b":
        half = planes // 2
        tally.conv_norm(layout.channels, half, kernel=3, size=size)
        tally.conv_norm(half, half, kernel=3, size=size)
        tally.conv_norm(half, planes, kernel=3, size=size)
    else:
        tally.conv_norm(layout.channels, planes, kernel=7, size=size)
    return strided(size, 2)
