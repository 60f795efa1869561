"""Count how many paths reach each receptive field, exactly. No torch here.

A path goes from the input to the output and takes, at each block, the shortcut or some of the
splits: the paper's combinatorial explosion. A 1x1 convolution joins all splits, so neither
channels nor cardinality multiply paths. Squeeze-and-excitation is left out: it sees all of
the image on every path.

A receptive field is the side of a square in pixels: 1, and for each layer of the path
(kernel - 1) x the strides before it.
"""

from collections import Counter
from fractions import Fraction
from itertools import accumulate
from math import gcd
from typing import NamedTuple

from res2net.architecture import Architecture
from res2net.blocks import DEFAULT_BLOCK, block_of
from res2net.blocks.base import Paths, Position, Shape
from res2net.errors import ArchitectureError
from res2net.layout import lay_out
from res2net.skeletons import is_count
from res2net.skeletons.reach import added


class Summary(NamedTuple):
    """Summarise many paths; receptive fields in pixels."""

    paths: int
    smallest: int
    largest: int
    mean: float
    median: int  # at least half of the paths have no larger receptive field


class Bin(NamedTuple):
    """Count the paths whose receptive fields are `low` to `high` pixels, both included."""

    low: int
    high: int
    paths: int


def block_paths(scale: int, *, opens: bool = False, block: str = DEFAULT_BLOCK) -> Paths:
    """Count the paths through one block, its shortcut included.

    Args:
        scale: number of splits.
        opens: whether the block changes stride or channels, so that it sums no splits.
        block: as `res2net.Architecture` takes it.

    Returns:
        Number of paths by receptive field in pixels of the block's own input.

    Raises:
        ArchitectureError: the scale is not a whole number from 1 up, or the block cannot be
            had.
    """
    if not is_count(scale):
        raise ArchitectureError(
            "scale", f"{scale!r} is below 1 or not whole; write a number from 1 up"
        )
    position = Position(1, 2 if opens else 1)
    return added(block_of(block).count_paths(Shape(1, scale), position), {1: 1})


def network_paths(architecture: Architecture) -> Paths:
    """Count the paths from the image to what the last stage puts out, before its average.

    Returns:
        Number of paths by receptive field in pixels of the image, smallest field first.

    Raises:
        ArchitectureError: the architecture's block cannot be had.
    """
    return architecture.facts.trace_paths(lay_out(architecture)).paths


def effective_depth(architecture: Architecture) -> int:
    """Count what the shortest path from the image to the classes passes.

    Its layers with weights and its residual additions, as arXiv 2602.07494 counts them: a block
    whose shortcut is the identity counts 1, one whose shortcut is projected 2.

    Raises:
        ArchitectureError: the architecture's block cannot be had.
    """
    return architecture.facts.trace_paths(lay_out(architecture)).depth + 1  # the classifier


def summary(paths: Paths) -> Summary:
    """Compute number of paths, range, mean and median of their receptive fields."""
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
    """Bin paths into at most `bins` ranges that can hold equally many receptive fields."""
    start, largest = min(paths), max(paths)
    step = gcd(*(field - start for field in paths)) or 1
    width = -(-((largest - start) // step + 1) // bins) * step
    counts: Counter[int] = Counter()
    for field, count in paths.items():
        counts[(field - start) // width] += count
    lows = [start + i * width for i in range(max(counts) + 1)]
    return [Bin(low, low + width - 1, counts[i]) for i, low in enumerate(lows)]
