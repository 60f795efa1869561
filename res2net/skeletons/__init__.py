"""How blocks are stacked into a network: what each skeleton fixes. No torch here.

The modules themselves are in `resnet`, `dla` and `biglittle`, which import torch.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Literal, NamedTuple

from res2net.errors import ArchitectureError

SkeletonName = Literal["cifar", "imagenet", "dla", "biglittle"]
FirstBlock = Literal["pool", "all"]
Depth = int | tuple[int, ...]

# Blocks per stage of the published depths: 50, 101 and 152 from ResNet, 200 from
# Res2Net-v1d-200; 14 and 26 are the usual small ones.
_IMAGENET_BLOCKS: Mapping[int, tuple[int, ...]] = {
    14: (1, 1, 1, 1),
    26: (2, 2, 2, 2),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    200: (3, 12, 48, 3),
}
# Levels of the tree of each stage (Yu et al., Table 1); a tree of n levels has 2**n blocks.
_DLA_LEVELS: Mapping[int, tuple[int, ...]] = {46: (1, 2, 2, 1), 60: (1, 2, 3, 1)}
_DLA_DEEPEST = 8
# Chen et al., Table 1; the last stage is an ordinary one.
_BIGLITTLE_BLOCKS: Mapping[int, tuple[int, ...]] = {
    50: (3, 4, 6, 3),
    101: (4, 8, 18, 3),
    152: (5, 12, 30, 3),
}


class Skeleton(NamedTuple):
    """What a way of stacking blocks fixes, and the defaults it was published with."""

    depth: int
    classes: int
    image_size: int
    first_block: FirstBlock
    expansion: int  # channels that a block puts out over its stage's planes
    planes_divisor: int  # planes must be a multiple of it
    stages: tuple[str, ...]  # names of the modules, as in the published weights
    stem_stride: int  # of what reaches the first stage, against the image
    strides: tuple[int, ...]  # of what each stage puts out, against the image
    output_strides: tuple[int, ...]  # that dilation can bring the last stage to
    depths: Mapping[int, tuple[int, ...]] | None  # the published ones; None: 9n + 2
    layers: Callable[[tuple[int, ...]], int]
    block_rule: str  # what a list of blocks per stage must be
    blocks_fit: Callable[[tuple[int, ...]], bool]

    def blocks(self, depth: int) -> tuple[int, ...] | None:
        """Blocks of each stage of a depth; None where there is no such depth."""
        if self.depths is not None:
            return self.depths.get(depth)
        per_stage, rest = divmod(depth - 2, 9)
        return (per_stage,) * 3 if rest == 0 and per_stage >= 1 else None

    def depths_near(self, depth: int) -> tuple[int, ...]:
        """The depths that there are just below and just above."""
        if self.depths is None:
            below = max(1, (depth - 2) // 9)
            return (9 * below + 2, 9 * below + 11)
        lower = [known for known in self.depths if known < depth]
        higher = [known for known in self.depths if known > depth]
        return (*lower[-1:], *higher[:1])

    def pace(self, output_stride: int | None) -> tuple["Pace", ...]:
        """How each stage steps, so that the last one puts out `output_stride`.

        Where a stride is cut, the blocks behind it see the image as before through dilation.

        Raises:
            ArchitectureError: the skeleton cannot have this output stride.
        """
        if output_stride is None:
            output_stride = self.strides[-1]
        if output_stride not in self.output_strides:
            known = ", ".join(map(str, self.output_strides))
            raise ArchitectureError(
                "output_stride",
                f"{output_stride!r} is none that this skeleton can have; write one of: {known}",
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


class Pace(NamedTuple):
    """How a stage steps: strides and dilations of its 3x3 convolutions."""

    stride: int  # of the block that opens it
    first_dilation: int  # of the block that opens it
    dilation: int  # of the others
    reached: int  # stride of what the stage puts out, against the image


def _plain_layers(blocks: tuple[int, ...]) -> int:
    return 3 * sum(blocks) + 2


def _dla_layers(levels: tuple[int, ...]) -> int:
    """Three a block, one a root, three in the stem, the classifier."""
    return sum(3 * (1 << n) + (1 << (n - 1)) for n in levels) + 4


_LAYERS_1_TO_4 = ("layer1", "layer2", "layer3", "layer4")

SKELETONS: Mapping[str, Skeleton] = {
    "cifar": Skeleton(
        depth=29,
        classes=100,
        image_size=32,
        first_block="all",
        expansion=4,
        planes_divisor=1,
        stages=_LAYERS_1_TO_4[:3],
        stem_stride=1,
        strides=(1, 2, 4),
        output_strides=(4, 2, 1),
        depths=None,
        layers=_plain_layers,
        block_rule="3 positive whole numbers, one for each stage",
        blocks_fit=lambda blocks: True,  # noqa: ARG005 - positive ones all do
    ),
    "imagenet": Skeleton(
        depth=50,
        classes=1000,
        image_size=224,
        first_block="pool",
        expansion=4,
        planes_divisor=1,
        stages=_LAYERS_1_TO_4,
        stem_stride=4,
        strides=(4, 8, 16, 32),
        output_strides=(32, 16, 8),
        depths=_IMAGENET_BLOCKS,
        layers=_plain_layers,
        block_rule="4 positive whole numbers, one for each stage",
        blocks_fit=lambda blocks: True,  # noqa: ARG005 - positive ones all do
    ),
    "dla": Skeleton(
        depth=60,
        classes=1000,
        image_size=224,
        first_block="pool",
        expansion=2,
        planes_divisor=4,
        stages=("level2", "level3", "level4", "level5"),
        stem_stride=2,
        strides=(4, 8, 16, 32),
        output_strides=(32,),
        depths=_DLA_LEVELS,
        layers=_dla_layers,
        block_rule=f"4 whole numbers from 1 to {_DLA_DEEPEST}, the levels of each stage's tree",
        blocks_fit=lambda levels: max(levels) <= _DLA_DEEPEST,
    ),
    "biglittle": Skeleton(
        depth=50,
        classes=1000,
        image_size=224,
        first_block="pool",
        expansion=4,
        planes_divisor=2,
        stages=_LAYERS_1_TO_4,
        stem_stride=4,
        strides=(8, 16, 16, 32),
        output_strides=(32,),
        depths=_BIGLITTLE_BLOCKS,
        layers=_plain_layers,
        block_rule="4 positive whole numbers, one for each stage, the first three from 2 up",
        blocks_fit=lambda blocks: min(blocks[:3]) >= 2,
    ),
}


def skeleton_of(name: str) -> Skeleton:
    """Look a skeleton up by name; raises ArchitectureError with the known ones."""
    if not isinstance(name, str) or name not in SKELETONS:
        known = ", ".join(SKELETONS)
        raise ArchitectureError("skeleton", f"{name!r} is not known; write one of: {known}")
    return SKELETONS[name]


def blocks_of(skeleton: str, depth: Depth) -> tuple[int, ...]:
    """Blocks per stage of a depth; for "dla" the levels of each stage's tree.

    Args:
        skeleton: a key of SKELETONS.
        depth: number of layers, or the blocks per stage themselves, one for each stage.

    Raises:
        ArchitectureError: the skeleton has no such depth; names the nearest that it has.
    """
    facts = skeleton_of(skeleton)
    if isinstance(depth, tuple):
        counts = len(depth) == len(facts.stages) and all(map(is_count, depth))
        if not counts or not facts.blocks_fit(depth):
            raise ArchitectureError(
                "depth", f"{list(depth)} is not, as {skeleton!r} needs, {facts.block_rule}"
            )
        return depth
    blocks = facts.blocks(depth) if is_count(depth) else None
    if blocks is None:
        near = " or ".join(map(str, facts.depths_near(depth if is_count(depth) else 2)))
        rule = (
            "9n + 2" if facts.depths is None else f"one of {', '.join(map(str, facts.depths))}"
        )
        raise ArchitectureError(
            "depth",
            f"skeleton {skeleton!r} has no depth {depth!r} (a depth is {rule}); "
            f"nearest: {near}, or give the blocks of each stage as a list",
        )
    return blocks


def is_count(value: object) -> bool:
    """Whether `value` is a whole number from 1 up."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
