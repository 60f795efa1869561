"""How many paths reach each receptive field, counted exactly. No torch here.

A path goes from the input to the output and takes, at each block, the shortcut or some of the
splits: the paper's combinatorial explosion. A 1x1 convolution joins all splits, so neither
channels nor cardinality multiply paths. Squeeze-and-excitation is left out: it sees all of
the image on every path.

A receptive field is the side of a square in pixels: 1, and for each layer of the path
(kernel - 1) x the strides before it.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import accumulate
from math import gcd
from typing import NamedTuple

from res2net.architecture import Architecture
from res2net.counting import BIGLITTLE_ALPHA, BIGLITTLE_BETA
from res2net.errors import ArchitectureError
from res2net.skeletons import Pace, is_count

Paths = dict[int, int]  # number of paths, by receptive field in pixels


class Summary(NamedTuple):
    """What there is to say about many paths; receptive fields in pixels."""

    paths: int
    smallest: int
    largest: int
    mean: float
    median: int  # at least half of the paths have no larger receptive field


class Bin(NamedTuple):
    """The paths whose receptive fields are `low` to `high` pixels, both included."""

    low: int
    high: int
    paths: int


def block_paths(scale: int, *, opens: bool = False) -> Paths:
    """Paths through one block, its shortcut included.

    Args:
        scale: number of splits.
        opens: whether the block changes stride or channels, so that it sums no splits. What
            it does with its last split, averaging or convolving, is 3 pixels wide either way.

    Returns:
        Number of paths by receptive field in pixels of the block's own input.

    Raises:
        ArchitectureError: the scale is not a whole number from 1 up.
    """
    if not is_count(scale):
        raise ArchitectureError(
            "scale", f"{scale!r} is below 1 or not whole; write a number from 1 up"
        )
    return _added(_split_paths(scale, opens=opens), {1: 1})


def network_paths(architecture: Architecture) -> Paths:
    """Paths from the image to what the last stage puts out, before it is averaged.

    Returns:
        Number of paths by receptive field in pixels of the image, smallest field first.
    """
    return _SKELETONS[architecture.skeleton](architecture).paths


def summary(paths: Paths) -> Summary:
    """Number of paths, range, mean and median of their receptive fields."""
    total = sum(paths.values())
    # A fraction, because the sums outgrow what a float can hold.
    mean = Fraction(sum(field * count for field, count in paths.items()), total)
    fields = sorted(paths)
    passed = accumulate(paths[field] for field in fields)
    median = next(
        field for field, upto in zip(fields, passed, strict=True) if 2 * upto >= total
    )
    return Summary(total, min(paths), max(paths), float(mean), median)


def binned(paths: Paths, *, bins: int) -> list[Bin]:
    """The same paths in at most `bins` ranges that can hold equally many receptive fields."""
    start, largest = min(paths), max(paths)
    step = gcd(*(field - start for field in paths)) or 1
    width = -(-((largest - start) // step + 1) // bins) * step
    counts: Counter[int] = Counter()
    for field, count in paths.items():
        counts[(field - start) // width] += count
    lows = [start + place * width for place in range(max(counts) + 1)]
    return [Bin(low, low + width - 1, counts[i]) for i, low in enumerate(lows)]


class _Reach(NamedTuple):
    """What the paths up to one place of a network see."""

    paths: Paths
    jump: int  # pixels of the image from one pixel of this place to the next

    def through(self, ways: Paths, stride: int = 1) -> "_Reach":
        """Each path goes on in each of these ways, counted in pixels of this place."""
        reached: Counter[int] = Counter()
        for field, count in self.paths.items():
            for kernel, number in ways.items():
                reached[field + (kernel - 1) * self.jump] += count * number
        return _Reach(dict(sorted(reached.items())), self.jump * stride)

    def layer(self, kernel: int, stride: int = 1) -> "_Reach":
        """Through one convolution or pooling layer."""
        return self.through({kernel: 1}, stride)

    def block(
        self, scale: int, *, opens: bool = False, stride: int = 1, shortcut: int = 1
    ) -> "_Reach":
        """Through a block; `shortcut` is the kernel of its shortcut."""
        splits = self.through(_split_paths(scale, opens=opens), stride)
        return _joined(splits, self.layer(shortcut, stride))

    def run(self, scale: int, blocks: int, *, stride: int = 1, shortcut: int = 1) -> "_Reach":
        """Through blocks of which the first changes stride or channels."""
        reach = self.block(scale, opens=True, stride=stride, shortcut=shortcut)
        return reach.inside(scale, blocks - 1)

    def inside(self, scale: int, blocks: int) -> "_Reach":
        """Through blocks that change neither stride nor channels."""
        reach = self
        for _ in range(blocks):
            reach = reach.block(scale)
        return reach


_IMAGE = _Reach({1: 1}, 1)


def _joined(*inputs: _Reach) -> _Reach:
    """A sum or a concatenation."""
    assert len({reach.jump for reach in inputs}) == 1, "only maps of one side can be joined"
    return _Reach(_added(*(reach.paths for reach in inputs)), inputs[0].jump)


def _added(*many: Paths) -> Paths:
    total: Counter[int] = Counter()
    for paths in many:
        total.update(paths)
    return dict(sorted(total.items()))


def _split_paths(scale: int, *, opens: bool) -> Paths:
    """Paths through the splits of a block, without its shortcut."""
    if opens or scale == 1:
        return {3: scale}
    # Eq. 1: from any split into the run of convolutions, out after any of those that follow.
    convolutions = scale - 1
    runs = {1 + 2 * run: convolutions - run + 1 for run in range(1, convolutions + 1)}
    return {1: 1} | runs  # the split that passes by comes first


def _resnet(a: Architecture) -> _Reach:
    reach = _resnet_stem(a)
    for stage, step in enumerate(a.facts.pace(None)):
        # v1b averages over the stride before it projects.
        shortcut = step.stride if a.version == "v1b" else 1
        reach = reach.run(
            a.scales[stage], a.blocks[stage], stride=step.stride, shortcut=shortcut
        )
    return reach


def _resnet_stem(a: Architecture) -> _Reach:
    if a.skeleton == "cifar":
        return _IMAGE.layer(3)
    if a.version == "v1b":
        return _IMAGE.layer(3, 2).layer(3).layer(3).layer(3, 2)
    return _IMAGE.layer(7, 2).layer(3, 2)


def _dla(a: Architecture) -> _Reach:
    reach = _IMAGE.layer(7).layer(3).layer(3, 2)
    for stage, step in enumerate(a.facts.pace(None)):
        pooled = (reach.layer(step.stride, step.stride),)
        reach = _tree(
            reach,
            a.scales[stage],
            a.blocks[stage],
            stride=step.stride,
            opens=True,
            joining=pooled if stage else (),
        )
    return reach


def _tree(
    reach: _Reach,
    scale: int,
    levels: int,
    *,
    stride: int = 1,
    opens: bool = False,
    joining: tuple[_Reach, ...] = (),
) -> _Reach:
    """A tree of 2**levels blocks; its last root joins what comes from outside as well."""
    if levels == 1:
        # The shortcut of the first block is pooled, by a kernel of the stride's side.
        first = reach.block(scale, opens=opens, stride=stride, shortcut=stride)
        return _joined(first.block(scale), first, *joining)
    first = _tree(reach, scale, levels - 1, stride=stride, opens=opens)
    return _tree(first, scale, levels - 1, joining=(*joining, first))


def _biglittle(a: Architecture) -> _Reach:
    reach, channels = _biglittle_stem(), a.planes
    *branching, last = a.facts.pace(None)
    for stage, step in enumerate(branching):
        out = a.facts.expansion * a.planes * 2**stage
        slims = channels != out // BIGLITTLE_ALPHA
        reach = _branches(reach, a.scales[stage], a.blocks[stage], step=step, slims=slims)
        channels = out
    return reach.run(a.scales[-1], a.blocks[-1], stride=last.stride, shortcut=3)


def _biglittle_stem() -> _Reach:
    start = _IMAGE.layer(7, 2)
    return _joined(start.layer(3, 2), start.layer(3).layer(3, 2))


def _branches(reach: _Reach, scale: int, blocks: int, *, step: Pace, slims: bool) -> _Reach:
    """A big branch at half the side, a little one, and a block over their sum.

    `slims` says whether the little branch changes the channels it is given.
    """
    big = reach.run(scale, blocks - 1, stride=2, shortcut=3)
    few = max(1, blocks // BIGLITTLE_BETA - 1)
    little = reach.run(scale, few) if slims else reach.inside(scale, few)
    # Brought back to the full side, each pixel sees what the coarse one did.
    merged = _joined(big._replace(jump=little.jump), little)
    if step.stride == 1:
        return merged.block(scale)
    return merged.block(scale, opens=True, stride=step.stride, shortcut=3)


_SKELETONS: Mapping[str, Callable[[Architecture], _Reach]] = {
    "cifar": _resnet,
    "imagenet": _resnet,
    "dla": _dla,
    "biglittle": _biglittle,
}
