"""The layers of each skeleton, in order, into a `Tally`. No torch here.

A counter is told the side of the image and how each stage steps; it returns the channels that
the last stage puts out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from res2net.architecture import Architecture
from res2net.skeletons import Pace
from res2net.tally import Count, Shape, Tally, at_least_one, halved

BIGLITTLE_ALPHA = 2  # the little branch has 1/alpha of the big one's channels,
BIGLITTLE_BETA = 4  # and 1/beta of its blocks (the paper's bL-ResNet of alpha 2, beta 4)


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


Counter = Callable[[Tally, Architecture, Dimensions, int, Sequence[Pace]], int]
COUNTERS: Mapping[str, Counter] = {
    "cifar": _resnet,
    "imagenet": _resnet,
    "dla": _dla,
    "biglittle": _biglittle,
}
