"""Count the layers of the depthwise-separable block. No torch here."""

from res2net.blocks.base import Position, Shape
from res2net.blocks.splits import convolved_splits
from res2net.tally import Count, Tally, strided


def count_layers(
    tally: Tally, shape: Shape, position: Position, *, side: int, times: Count = 1
) -> None:
    """Add the layers of `times` blocks, as `res2net.blocks.base.Block` says."""
    split, every, out = shape.split, shape.split * shape.scale, position.out
    after = strided(side, position.stride)
    tally.conv(position.channels, every, side=side, times=times)
    tally.norm(every, times=times)
    many = convolved_splits(shape, position) * times
    tally.conv(split, split, kernel=3, side=after, groups=split, times=many)
    tally.norm(split, times=many)
    tally.conv(split, split, side=after, groups=shape.cardinality, times=many)
    tally.norm(split, times=many)
    tally.conv(every, out, side=after, times=times)
    tally.norm(out, times=times)
    tally.squeeze_excitation(out, times=times * shape.se)
