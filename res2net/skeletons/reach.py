"""Follow every path from the image through layers and blocks, exactly. No torch here."""

from collections import Counter
from typing import NamedTuple

from res2net.blocks.base import Block, Paths, Position, Shape


class Reach(NamedTuple):
    """Hold the paths from the image to a feature map, and the distance between its pixels."""

    paths: Paths  # by receptive field in pixels of the image, smallest field first
    jump: int  # image pixels between neighbouring pixels of the feature map
    depth: int = 0  # of the shortest path: layers with weights, sums, concatenations

    def through(self, kernels: Paths, stride: int = 1, *, layers: int = 1) -> "Reach":
        """Continue each path in several ways.

        Args:
            kernels: number of ways by kernel size, in pixels of this feature map.
            stride: stride of each way.
            layers: number of layers with weights on the shortest way.
        """
        reached: Counter[int] = Counter()
        for field, count in self.paths.items():
            for kernel, number in kernels.items():
                reached[field + (kernel - 1) * self.jump] += count * number
        return Reach(dict(sorted(reached.items())), self.jump * stride, self.depth + layers)

    def layer(self, kernel: int, stride: int = 1) -> "Reach":
        """Pass one convolution."""
        return self.through({kernel: 1}, stride)

    def pool(self, kernel: int, stride: int) -> "Reach":
        """Pass one pooling layer, which has no weights."""
        return self.through({kernel: 1}, stride, layers=0)

    def block(
        self, block: Block, shape: Shape, position: Position, *, shortcut: int = 1
    ) -> "Reach":
        """Pass a block; `shortcut` is the kernel size of its shortcut."""
        splits = self.through(block.count_paths(shape, position), position.stride)
        projected = int(position.channels != position.out)  # otherwise it has no convolution
        past = self.through({shortcut: 1}, position.stride, layers=projected)
        return joined(splits, past)

    def run(
        self, block: Block, shape: Shape, first: Position, blocks: int, shortcut: int = 1
    ) -> "Reach":
        """Pass a run of blocks; only the first may change stride or channels."""
        reach = self.block(block, shape, first, shortcut=shortcut)
        for _ in range(blocks - 1):
            reach = reach.block(block, shape, Position(first.out, first.out))
        return reach


IMAGE = Reach({1: 1}, 1)


def joined(*inputs: Reach) -> Reach:
    """Join feature maps of the same side by a sum or a concatenation."""
    assert len({reach.jump for reach in inputs}) == 1, "only maps of one side can be joined"
    shortest = min(reach.depth for reach in inputs) + (len(inputs) > 1)
    return Reach(added(*(reach.paths for reach in inputs)), inputs[0].jump, shortest)


def added(*many: Paths) -> Paths:
    """Add up paths by receptive field, smallest field first."""
    total: Counter[int] = Counter()
    for paths in many:
        total.update(paths)
    return dict(sorted(total.items()))
