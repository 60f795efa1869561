"""Exact cost of a network, before it exists. No torch here.

Convention: MACs are the multiply-adds of convolutions and linear layers for one image (the
paper's "FLOPs"); normalisation, activations and pooling count 0. Parameters are all learnable
numbers. Activations are the numbers that convolutions and linear layers put out for one image.

The one formula takes integers (a network) or NumPy arrays (a whole grid at once).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from res2net.architecture import Architecture
from res2net.errors import ArchitectureError
from res2net.skeletons import Pace, Skeleton
from res2net.tally import Count, IntArray, Shape, Tally, at_least_one, halved

BIGLITTLE_ALPHA = 2  # the little branch has 1/alpha of the big one's channels,
BIGLITTLE_BETA = 4  # and 1/beta of its blocks (the paper's bL-ResNet of alpha 2, beta 4)


class Cost(NamedTuple):
    """What one network costs; the last two are for one image."""

    params: int
    macs: int
    activations: int


class Costs(NamedTuple):
    """What each network of a grid costs: arrays of one shape."""

    params: IntArray
    macs: IntArray
    activations: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimensions:
    """The dimensions that a grid varies, one entry a stage but for `se`.

    Arrays have shapes that broadcast together.
    """

    blocks: Sequence[Count]
    width: Sequence[Count]
    scale: Sequence[Count]
    cardinality: Sequence[Count]
    se: Count

    def shape(self, stage: int) -> Shape:
        """The blocks of a stage; widths double from stage to stage."""
        width, scale, cardinality = (
            self.width[stage],
            self.scale[stage],
            self.cardinality[stage],
        )
        return Shape(width * 2**stage, scale, cardinality, self.se)


def cost(
    architecture: Architecture,
    *,
    image_size: int | None = None,
    features: Collection[int] | None = None,
    output_stride: int | None = None,
) -> Cost:
    """Count one network exactly.

    Args:
        architecture: the network.
        image_size: side of the square input in pixels; the skeleton's own by default.
        features: as for `res2net.build`: of a backbone, counted up to the last of these
            stages; None counts the classifier.
        output_stride: as for `res2net.build`.

    Returns:
        Parameters of the built module, MACs (half of what torch's FlopCounterMode sees in a
        forward pass of one image) and activations, to the unit.

    Raises:
        ArchitectureError: a stage or an output stride that the skeleton cannot have.
    """
    facts = architecture.facts
    dims = Dimensions(
        blocks=architecture.blocks,
        width=architecture.widths,
        scale=architecture.scales,
        cardinality=architecture.cardinalities,
        se=int(architecture.se),
    )
    last = len(facts.stages) if features is None else max(checked_features(facts, features))
    pace = facts.pace(output_stride)[:last]
    tally = Tally()
    channels = _SKELETONS[architecture.skeleton](
        tally, architecture, dims, image_size or architecture.image_size, pace
    )
    if features is None:
        _head(tally, channels, architecture.classes)
    return Cost(int(tally.params), int(tally.macs), int(tally.activations))


def costs(base: Architecture, dims: Dimensions, *, image_size: int) -> Costs:
    """Count a grid of networks that differ from `base` in the given dimensions only.

    Args:
        base: gives skeleton, planes, version, first block and classes.
        dims: int64 arrays that broadcast together, one value for each network.
        image_size: side of the square input in pixels.

    Returns:
        int64 arrays of the broadcast shape.
    """
    tally = Tally()
    channels = _SKELETONS[base.skeleton](tally, base, dims, image_size, base.facts.pace(None))
    _head(tally, channels, base.classes)
    arrays = (*dims.width, *dims.scale, *dims.cardinality, dims.se, *dims.blocks)
    shape = np.broadcast_shapes(*(np.shape(array) for array in arrays))
    return Costs(
        *(
            np.broadcast_to(np.asarray(total, dtype=np.int64), shape)
            for total in (tally.params, tally.macs, tally.activations)
        )
    )


def checked_features(facts: Skeleton, features: Collection[int]) -> list[int]:
    """Stages (from 1) in ascending order; raises ArchitectureError for one that is not."""
    stages = range(1, len(facts.stages) + 1)
    listed = isinstance(features, Collection)
    if not listed or not features or any(stage not in stages for stage in features):
        shown = tuple(features) if listed else features
        raise ArchitectureError(
            "features",
            f"{shown} are not all stages of this skeleton; write some of {tuple(stages)}",
        )
    return sorted(set(map(int, features)))


def _head(tally: Tally, channels: int, classes: int) -> None:
    tally.conv(channels, classes, side=1)
    tally.bias(classes)


def _convolutions(base: Architecture, shape: Shape, *, opening: bool) -> Count:
    """3x3 convolutions of one block; `opening` is one that changes stride or channels."""
    if opening and base.first_block == "all":
        return shape.scale
    return shape.scale - shape.passing


def _resnet(
    tally: Tally, base: Architecture, dims: Dimensions, side: int, pace: Sequence[Pace]
) -> int:
    """Stem and stages of "cifar" and "imagenet"; returns the channels put out."""
    side = _resnet_stem(tally, base, side)
    channels = base.planes
    for stage, step in enumerate(pace):
        out = base.facts.expansion * base.planes * 2**stage
        after = side if step.stride == 1 else halved(side)
        tally.conv_norm(channels, out, side=after)  # the shortcut of the first block
        _run(tally, base, dims, stage, _Ends(channels, out, side, after), dims.blocks[stage])
        channels, side = out, after
    return channels


class _Ends(NamedTuple):
    """What goes into a run of blocks and what comes out: channels and sides."""

    channels: int
    out: int
    side: int
    out_side: int


def _run(
    tally: Tally,
    base: Architecture,
    dims: Dimensions,
    stage: int,
    ends: _Ends,
    blocks: Count,
) -> None:
    """A run of blocks, the first of which changes stride or channels."""
    shape = dims.shape(stage)
    channels, out, side, after = ends
    opening, inside = (_convolutions(base, shape, opening=o) for o in (True, False))
    tally.block(channels, out, shape, side=side, out_side=after, convolutions=opening)
    rest = blocks - 1
    tally.block(out, out, shape, side=after, out_side=after, convolutions=inside, times=rest)


def _resnet_stem(tally: Tally, base: Architecture, side: int) -> int:
    """3x3 for CIFAR; 7x7/2 (v1) or three 3x3 (v1b), then pooling by 2, for ImageNet."""
    planes = base.planes
    if base.skeleton == "cifar":
        tally.conv_norm(3, planes, kernel=3, side=side)
        return side
    side = halved(side)
    if base.version == "v1b":
        half = planes // 2
        tally.conv_norm(3, half, kernel=3, side=side)
        tally.conv_norm(half, half, kernel=3, side=side)
        tally.conv_norm(half, planes, kernel=3, side=side)
    else:
        tally.conv_norm(3, planes, kernel=7, side=side)
    return halved(side)


def _dla(
    tally: Tally, base: Architecture, dims: Dimensions, side: int, pace: Sequence[Pace]
) -> int:
    """Deep layer aggregation: a tree of 2**levels blocks a stage, joined by its roots."""
    quarter, channels = base.planes // 4, base.planes // 2
    tally.conv_norm(3, quarter, kernel=7, side=side)
    tally.conv_norm(quarter, quarter, kernel=3, side=side)
    side = halved(side)
    tally.conv_norm(quarter, channels, kernel=3, side=side)
    for stage in range(len(pace)):
        out = base.facts.expansion * base.planes * 2**stage
        after = halved(side)
        roots = 2 ** (dims.blocks[stage] - 1)
        _run(tally, base, dims, stage, _Ends(channels, out, side, after), 2 * roots)
        tally.conv_norm(channels, out, side=after)  # the shortcut of the first block
        tally.conv(2 * out, out, side=after, times=roots)
        tally.norm(out, times=roots)
        # Beyond its own two blocks a root joins what shallower trees hand down: over a whole
        # tree one more `out` a root but the first, and the stage's input but in the first.
        joined = out * (roots - 1) + (channels if stage else 0)
        tally.params = tally.params + joined * out
        tally.macs = tally.macs + joined * out * after**2
        channels, side = out, after
    return channels


def _biglittle(
    tally: Tally, base: Architecture, dims: Dimensions, side: int, pace: Sequence[Pace]
) -> int:
    """Three stages of a big branch at half resolution and a little one; an ordinary one."""
    side, channels = _biglittle_stem(tally, base.planes, side), base.planes
    for stage, step in enumerate(pace):
        out: int = base.facts.expansion * base.planes * 2**stage
        blocks, half = dims.blocks[stage], halved(side)
        tally.conv_norm(channels, out, side=half)  # the shortcut of the branch or stage
        if stage == 3:
            _run(tally, base, dims, stage, _Ends(channels, out, side, half), blocks)
            return out
        _run(tally, base, dims, stage, _Ends(channels, out, side, half), blocks - 1)
        _little(tally, base, dims, stage, _Ends(channels, out, side, side))
        shape, after = dims.shape(stage), side if step.stride == 1 else half
        merging = _convolutions(base, shape, opening=step.stride > 1)
        tally.block(out, out, shape, side=side, out_side=after, convolutions=merging)
        channels, side = out, after
    return channels


def _biglittle_stem(tally: Tally, planes: int, side: int) -> int:
    slim = planes // BIGLITTLE_ALPHA
    side, after = halved(side), halved(halved(side))
    tally.conv_norm(3, planes, kernel=7, side=side)
    tally.conv_norm(planes, planes, kernel=3, side=after)
    tally.conv_norm(planes, slim, kernel=3, side=side)
    tally.conv_norm(slim, slim, kernel=3, side=after)
    tally.conv_norm(slim, planes, side=after)
    tally.conv_norm(planes, planes, side=after)
    return after


def _little(
    tally: Tally, base: Architecture, dims: Dimensions, stage: int, ends: _Ends
) -> None:
    """Few and slim blocks at full resolution, widened at the end by a 1x1."""
    channels, out, side, _ = ends
    slim = out // BIGLITTLE_ALPHA
    shape = slimmed(dims.shape(stage))
    blocks = at_least_one(dims.blocks[stage] // BIGLITTLE_BETA - 1)
    changes = channels != slim
    if changes:
        tally.conv_norm(channels, slim, side=side)
    first, inside = (_convolutions(base, shape, opening=o) for o in (changes, False))
    tally.block(channels, slim, shape, side=side, out_side=side, convolutions=first)
    tally.block(
        slim, slim, shape, side=side, out_side=side, convolutions=inside, times=blocks - 1
    )
    tally.conv_norm(slim, out, side=side)


def slimmed(shape: Shape) -> Shape:
    """The blocks of the little branch: as the stage's, of 1/alpha of the width."""
    return shape._replace(width=at_least_one(shape.width // BIGLITTLE_ALPHA))


_SKELETONS: Mapping[
    str, Callable[[Tally, Architecture, Dimensions, int, Sequence[Pace]], int]
] = {"cifar": _resnet, "imagenet": _resnet, "dla": _dla, "biglittle": _biglittle}
