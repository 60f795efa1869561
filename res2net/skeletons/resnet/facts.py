"""Define what the CIFAR and ImageNet skeletons fix. No torch here."""

from collections.abc import Mapping

from res2net.skeletons.base import Skeleton
from res2net.skeletons.resnet.layers import count_layers
from res2net.skeletons.resnet.paths import trace_paths

_MODULES = "res2net.skeletons.resnet.modules:make_modules"
_LAYERS_1_TO_4 = ("layer1", "layer2", "layer3", "layer4")

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

# What a depth means in the name of a ResNet, where a Res2Net of this depth has other blocks.
RESNET_BLOCKS: Mapping[int, tuple[int, ...]] = {200: (3, 24, 36, 3)}


def _layers(blocks: tuple[int, ...]) -> int:
    """Count three layers per block, the stem and the classifier."""
    return 3 * sum(blocks) + 2


CIFAR = Skeleton(
    depth=29,
    classes=100,
    image_size=32,
    first_block="all",
    expansion=4,
    versions={"v1": 1},
    stages=_LAYERS_1_TO_4[:3],
    stem_stride=1,
    strides=(1, 2, 4),
    output_strides=(4, 2, 1),
    depths=None,
    layers=_layers,
    block_rule="3 positive whole numbers, one for each stage",
    blocks_fit=lambda blocks: True,  # noqa: ARG005 - any positive ones fit
    make_modules=_MODULES,
    count_layers=count_layers,
    trace_paths=trace_paths,
)

IMAGENET = CIFAR._replace(
    depth=50,
    classes=1000,
    image_size=224,
    first_block="pool",
    versions={"v1": 1, "v1b": 2},  # the deep stem begins with half of the planes
    stages=_LAYERS_1_TO_4,
    stem_stride=4,
    strides=(4, 8, 16, 32),
    output_strides=(32, 16, 8),
    depths=_IMAGENET_BLOCKS,
    block_rule="4 positive whole numbers, one for each stage",
)
