"""Define what the Big-Little skeleton fixes. No torch here."""

from collections.abc import Mapping

from res2net.skeletons.base import Skeleton
from res2net.skeletons.biglittle.layers import count_layers
from res2net.skeletons.biglittle.paths import trace_paths

# Chen et al., Table 1; the last stage is an ordinary one.
_BLOCKS: Mapping[int, tuple[int, ...]] = {
    50: (3, 4, 6, 3),
    101: (4, 8, 18, 3),
    152: (5, 12, 30, 3),
}

BIGLITTLE = Skeleton(
    depth=50,
    classes=1000,
    image_size=224,
    first_block="pool",
    expansion=4,
    versions={"v1": 2},  # part of the stem has half of the planes
    stages=("layer1", "layer2", "layer3", "layer4"),
    stem_stride=4,
    strides=(8, 16, 16, 32),
    output_strides=(32,),
    depths=_BLOCKS,
    layers=lambda blocks: 3 * sum(blocks) + 2,
    block_rule="4 positive whole numbers, one for each stage, the first three from 2 up",
    blocks_fit=lambda blocks: min(blocks[:3]) >= 2,
    make_modules="res2net.skeletons.biglittle.modules:make_modules",
    count_layers=count_layers,
    trace_paths=trace_paths,
    name_form="bl{family}{depth}",
)
