"""Count the layers of the Res2Net block. No torch here."""

from res2net.blocks.base import Position, Shape
from res2net.blocks.splits import convolved_splits
from res2net.tally import Count, Size, Tally, strided


def count_layers(
    tally: Tally, shape: Shape, position: Position, *, size: Size, times: Count = 1
) -> None:
    """Add the layers of `times` blocks, as defined in `res2net.blocks.base.Block`."""
    split, every, out = shape.split, shape.split * shape.scale, position.out
    after = strided(size, position.stride)
    tally.conv(position.channels, every, size=size, times=times)
    tally.norm(every, times=times)
    many = convolved_splits(shape, position) * times
    tally.conv(split, split, kernel=3, size=after, groups=shape.cardinality, times=many)
    tally.norm(split, times=many)
    tally.conv(every, out, size=after, times=times)
    tally.norm(out, times=times)
    tally.squeeze_excitation(out, times=times * shape.se)
