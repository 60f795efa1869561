"""Define what the DLA skeleton fixes. No torch here."""

from collections.abc import Mapping

from res2net.skeletons.base import Skeleton
from res2net.skeletons.dla.layers import count_layers
from res2net.skeletons.dla.paths import trace_paths

# Levels of the tree of each stage (Yu et al., Table 1); a tree of n levels has 2**n blocks.
_LEVELS: Mapping[int, tuple[int, ...]] = {46: (1, 2, 2, 1), 60: (1, 2, 3, 1)}
_DEEPEST = 8


def _layers(levels: tuple[int, ...]) -> int:
    """Count three layers per block, one per root, three in the stem, and the classifier."""
    return sum(3 * (1 << n) + (1 << (n - 1)) for n in levels) + 4


DLA = Skeleton(
    depth=60,
    classes=1000,
    image_size=224,
    first_block="pool",
    expansion=2,
    versions={"v1": 4},  # the stem begins with a quarter of the planes
    stages=("level2", "level3", "level4", "level5"),
    stem_stride=2,
    strides=(4, 8, 16, 32),
    output_strides=(32,),
    depths=_LEVELS,
    layers=_layers,
    block_rule=f"4 whole numbers from 1 to {_DEEPEST}, the levels of each stage's tree",
    blocks_fit=lambda levels: max(levels) <= _DEEPEST,
    make_modules="res2net.skeletons.dla.modules:make_modules",
    count_layers=count_layers,
    trace_paths=trace_paths,
    name_form="{family}_dla{depth}",
    convolved_head=True,
)
