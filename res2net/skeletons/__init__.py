"""The ways to stack blocks into a network, by name. No torch here.

Each folder holds one skeleton, except that `resnet` makes two: "cifar" and "imagenet".
`res2net.skeletons.base` defines what a skeleton provides.
"""

from collections.abc import Mapping

from res2net.errors import ArchitectureError
from res2net.plugins import PluginError, import_attribute, split_plugin
from res2net.skeletons.base import Depth, Skeleton
from res2net.skeletons.biglittle.facts import BIGLITTLE
from res2net.skeletons.dla.facts import DLA
from res2net.skeletons.resnet.facts import CIFAR, IMAGENET, RESNET_BLOCKS

__all__ = [
    "RESNET_BLOCKS",
    "SKELETONS",
    "Depth",
    "Skeleton",
    "blocks_of",
    "is_count",
    "skeleton_of",
]

SKELETONS: Mapping[str, Skeleton] = {
    "cifar": CIFAR,
    "imagenet": IMAGENET,
    "dla": DLA,
    "biglittle": BIGLITTLE,
}


def skeleton_of(name: str) -> Skeleton:
    """Look up a skeleton by name, or import a user-defined one.

    Args:
        name: a key of SKELETONS, `package.module:attribute` or `path/to/file.py:attribute` of a
            `Skeleton`.

    Raises:
        ArchitectureError: there is no such skeleton; the message lists the built-in ones.
    """
    if isinstance(name, str) and name in SKELETONS:
        return SKELETONS[name]
    if not isinstance(name, str) or not split_plugin(name):
        known = ", ".join(SKELETONS)
        raise ArchitectureError("skeleton", f"{name!r} is not known; write one of: {known}")
    try:
        found = import_attribute(name)
    except PluginError as error:
        raise ArchitectureError("skeleton", str(error)) from error
    if not isinstance(found, Skeleton):
        raise ArchitectureError(
            "skeleton",
            f"{name!r} is a {type(found).__name__}; give a res2net.skeletons.Skeleton",
        )
    if not found.stages or len(found.stages) != len(found.strides):
        raise ArchitectureError(
            "skeleton",
            f"{name!r} has stages {found.stages} and strides {found.strides}; give as many of "
            "each",
        )
    return found


def blocks_of(skeleton: str, depth: Depth) -> tuple[int, ...]:
    """Give the blocks per stage for a depth; for "dla" the levels of each stage's tree.

    Args:
        skeleton: a key of SKELETONS.
        depth: number of layers, or the blocks per stage themselves, one for each stage.

    Raises:
        ArchitectureError: the skeleton has no such depth; the message lists the nearest ones.
    """
    facts = skeleton_of(skeleton)
    if isinstance(depth, tuple):
        counts = len(depth) == len(facts.stages) and all(map(is_count, depth))
        if not counts or not facts.blocks_fit(depth):
            raise ArchitectureError(
                "depth", f"{list(depth)} is not what {skeleton!r} needs: {facts.block_rule}"
            )
        return depth
    blocks = facts.blocks(depth) if is_count(depth) else None
    if blocks is not None and len(blocks) != len(facts.stages):
        raise ArchitectureError(
            "skeleton",
            f"{skeleton!r} gives depth {depth} the blocks {list(blocks)}, but has "
            f"{len(facts.stages)} stages; give one number for each",
        )
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
    """Tell whether `value` is a whole number from 1 up."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
