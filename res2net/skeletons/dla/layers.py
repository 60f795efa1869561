"""Count the layers of the DLA skeleton. No torch here."""

from res2net.skeletons.base import Layout, Stage
from res2net.skeletons.run import count_run
from res2net.tally import Size, Tally, strided


def count_layers(layout: Layout, tally: Tally, size: Size) -> int:
    """Add stem and trees for images of this size; return the number of output channels."""
    quarter, channels = layout.planes // 4, layout.planes // 2
    tally.conv_norm(layout.channels, quarter, kernel=7, size=size)
    tally.conv_norm(quarter, quarter, kernel=3, size=size)
    size = strided(size, 2)
    tally.conv_norm(quarter, channels, kernel=3, size=size)
    for index, stage in enumerate(layout.stages):
        first = stage.opening(channels)
        after = strided(size, first.stride)
        count_run(
            tally,
            layout.block,
            stage.shape,
            first=first,
            blocks=2**stage.blocks,
            size=size,
        )
        tally.conv_norm(channels, stage.out, size=after)  # the shortcut of the first block
        _count_roots(tally, stage, after, given=channels if index else 0)
        channels, size = stage.out, after
    return channels


def _count_roots(tally: Tally, stage: Stage, size: Size, *, given: int) -> None:
    """Add the roots of a tree; the last also joins `given` channels of the stage's input."""
    out, roots = stage.out, 2 ** (stage.blocks - 1)
    tally.conv(2 * out, out, size=size, times=roots)
    tally.norm(out, times=roots)
    # Besides its own two blocks, a root joins the outputs passed down by shallower trees:
    # summed over a whole tree, one more `out` for each root except the first.
    joined = out * (roots - 1) + given
    tally.params = tally.params + joined * out
    tally.macs = tally.macs + joined * out * size.area
