"""Trace the paths through the DLA skeleton. No torch here."""

from res2net.blocks.base import Position
from res2net.skeletons.base import Layout, Stage
from res2net.skeletons.reach import IMAGE, Reach, joined


def trace_paths(layout: Layout) -> Reach:
    """Follow every path from the image through stem and trees."""
    reach = IMAGE.layer(7).layer(3).layer(3, 2)
    channels = layout.planes // 2
    for index, stage in enumerate(layout.stages):
        stride = stage.pace.stride
        pooled = (reach.pool(stride, stride),)
        reach = _Tree(layout, stage).trace(
            reach, int(stage.blocks), stage.opening(channels), pooled if index else ()
        )
        channels = stage.out
    return reach


class _Tree:
    """Trace the tree of one stage."""

    def __init__(self, layout: Layout, stage: Stage) -> None:
        self._block, self._stage = layout.block, stage

    def trace(
        self, reach: Reach, levels: int, first: Position, joining: tuple[Reach, ...] = ()
    ) -> Reach:
        """Pass 2**levels blocks; the last root also joins the maps in `joining`."""
        inside = self._stage.inside
        if levels > 1:
            before = self.trace(reach, levels - 1, first)
            return self.trace(before, levels - 1, inside, (*joining, before))
        shape = self._stage.shape
        # The first block's shortcut is pooled with a kernel as wide as the stride.
        one = reach.block(self._block, shape, first, shortcut=first.stride)
        return joined(one.block(self._block, shape, inside), one, *joining).layer(1)
