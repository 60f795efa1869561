"""Declare what a skeleton fixes and what it is given to stack. No torch here."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from res2net.blocks.base import Block, FirstBlock, Position, Shape
from res2net.errors import ArchitectureError
from res2net.skeletons.reach import Reach
from res2net.tally import Count, Size, Tally

Depth = int | tuple[int, ...]


class Pace(NamedTuple):
    """Describe the strides and dilations of a stage's convolutions wider than 1x1."""

    stride: int  # of the block that opens the stage
    first_dilation: int  # of the block that opens the stage
    dilation: int  # of the other blocks
    reached: int  # stride of the stage's output, relative to the image


class Stage(NamedTuple):
    """Describe one stage of a network, or of a grid of networks."""

    name: str  # of its module
    blocks: Count  # for "dla" the levels of its tree
    shape: Shape  # of its blocks
    out: int  # channels of the stage's output
    pace: Pace

    def opening(self, channels: int) -> Position:
        """Give the position of the first block, which changes stride or channels."""
        return Position(channels, self.out, self.pace.stride, self.pace.first_dilation)

    @property
    def inside(self) -> Position:
        """The position of each block after the first."""
        return Position(self.out, self.out, dilation=self.pace.dilation)


class Layout(NamedTuple):
    """Hold everything that a skeleton needs to build, count or trace a network."""

    block: Block  # used without knowing which block it is
    channels: int  # of the images
    planes: int
    version: str
    stem_stride: int
    stages: tuple[Stage, ...]


class Skeleton(NamedTuple):
    """Describe what one way of stacking blocks fixes, with its published defaults."""

    depth: int
    classes: int
    image_size: int
    first_block: FirstBlock
    expansion: int  # a block's output channels divided by its stage's planes
    versions: Mapping[str, int]  # by name; planes must be a multiple of the number
    stages: tuple[str, ...]  # names of the modules, as in the published weights
    stem_stride: int  # of the first stage's input, relative to the image
    strides: tuple[int, ...]  # of each stage's output, relative to the image
    output_strides: tuple[int, ...]  # that the last stage can have, by dilation
    depths: Mapping[int, tuple[int, ...]] | None  # the published ones; None: 9n + 2
    layers: Callable[[tuple[int, ...]], int]
    block_rule: str  # what a list of blocks per stage must be
    blocks_fit: Callable[[tuple[int, ...]], bool]
    make_modules: str  # module:function, imported with torch when a network is built
    count_layers: Callable[[Layout, Tally, Size], int]  # of stem and stages; output channels
    trace_paths: Callable[[Layout], Reach]  # from the image to the last stage
    name_form: str = "{family}{depth}"  # beginning of network names
    convolved_head: bool = False  # whether the classifier is a 1x1 convolution

    @property
    def named(self) -> bool:
        """Whether the skeleton follows from the beginning of a network's name."""
        return self.name_form != "{family}{depth}"

    def blocks(self, depth: int) -> tuple[int, ...] | None:
        """Give the blocks of each stage for a depth; None where there is no such depth."""
        if self.depths is not None:
            return self.depths.get(depth)
        per_stage, rest = divmod(depth - 2, 9)
        whole = rest == 0 and per_stage >= 1
        return (per_stage,) * len(self.stages) if whole else None

    def depths_near(self, depth: int) -> tuple[int, ...]:
        """Give the nearest existing depths below and above."""
        if self.depths is None:
            below = max(1, (depth - 2) // 9)
            return (9 * below + 2, 9 * below + 11)
        lower = [known for known in self.depths if known < depth]
        higher = [known for known in self.depths if known > depth]
        return (*lower[-1:], *higher[:1])

    def pace(self, output_stride: int | None) -> tuple[Pace, ...]:
        """Compute each stage's strides and dilations so that the last reaches `output_stride`.

        Where a stride is reduced, dilation keeps the receptive fields of the blocks after it.

        Raises:
            ArchitectureError: the skeleton cannot have this output stride.
        """
        if output_stride is None:
            output_stride = self.strides[-1]
        given: Any = output_stride  # True and 16.0 equal whole numbers
        whole = hasattr(given, "__index__") and not isinstance(given, bool)
        if output_stride not in self.output_strides or not whole:
            known = ", ".join(map(str, self.output_strides))
            raise ArchitectureError(
                "output_stride",
                f"{output_stride!r} is not possible with this skeleton; write one of: {known}",
            )
        reached = [min(stride, output_stride) for stride in self.strides]
        dilations = [full // cut for full, cut in zip(self.strides, reached, strict=True)]
        steps = [after // before for before, after in pairwise([self.stem_stride, *reached])]
        return tuple(
            Pace(stride, first, rest, cut)
            for stride, first, rest, cut in zip(
                steps, [1, *dilations], dilations, reached, strict=False
            )
        )
