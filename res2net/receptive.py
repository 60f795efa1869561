"""Count how many paths reach each receptive field, exactly. No torch here.

A path goes from the input to the output and takes, at each block, the shortcut or some of the
splits; the paper calls the result a combinatorial explosion. A 1x1 convolution joins all
splits, so neither channels nor cardinality multiply paths. Squeeze-and-excitation is left out:
it sees the whole image on every path.

A receptive field is the side of a square in pixels: 1, plus, for each layer of the path,
(kernel - 1) x the product of the strides before it.
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
    median: int  # no smaller than the receptive fields of at least half of the paths


class Bin(NamedTuple):
    """Count the paths whose receptive fields are `low` to `high` pixels, both included."""

    low: int
    high: int
    paths: int


def block_paths(scale: int, *, opens: bool = False, block: str = DEFAULT_BLOCK) -> Paths:
    """Count the paths through one block, including its shortcut.

    Args:
        scale: number of splits.
        opens: whether the block changes stride or channels and so sums no splits.
        block: as for `res2net.Architecture`.

    Returns:
        Number of paths by receptive field in pixels of the block's own input.

    Raises:
        ArchitectureError: the scale is not a whole number from 1 up, or the block cannot be
            found.
    """
    if not is_count(scale):
        raise ArchitectureError(
            "scale", f"{scale!r} is below 1 or not whole; write a number from 1 up"
        )
    position = Position(1, 2 if opens else 1)
    return added(block_of(block).count_paths(Shape(1, scale), position), {1: 1})


def network_paths(architecture: Architecture) -> Paths:
    """Count the paths from the image to the last stage's output, before average pooling.

    Returns:
        Number of paths by receptive field in pixels of the image, smallest field first.

    Raises:
        ArchitectureError: the architecture's block cannot be found.
    """
    return architecture.facts.trace_paths(lay_out(architecture)).paths


def effective_depth(architecture: Architecture) -> int:
    """Count the layers and additions on the shortest path from the image to the classes.

    These are its layers with weights and its residual additions, as counted in arXiv
    2602.07494: a block with an identity shortcut counts 1, a block with a projected shortcut
    counts 2.

    Raises:
        ArchitectureError: the architecture's block cannot be found.
    """
    return architecture.facts.trace_paths(lay_out(architecture)).depth + 1  # the classifier


def summary(paths: Paths) -> Summary:
    """Compute the number of paths and the range, mean and median of their receptive fields."""
    total = sum(paths.values())
    # A fraction, because the sums exceed the range of a float.
    mean = Fraction(sum(field * count for field, count in paths.items()), total)
    fields = sorted(paths)
    passed = accumulate(paths[field] for field in fields)
    median = next(
        field for field, upto in zip(fields, passed, strict=True) if 2 * upto >= total
    )
    return Summary(total, min(paths), max(paths), float(mean), median)


def binned(paths: Paths, *, bins: int) -> list[Bin]:
    """Bin paths into at most `bins` ranges, each of equally many possible receptive fields."""
    start, largest = min(paths), max(paths)
    step = gcd(*(field - start for field in paths)) or 1
    width = -(-((largest - start) // step + 1) // bins) * step
    counts: Counter[int] = Counter()
    for field, count in paths.items():
        counts[(field - start) // width] += count
    lows = [start + i * width for i in range(max(counts) + 1)]
    return [Bin(low, low + width - 1, counts[i]) for i, low in enumerate(lows)]
