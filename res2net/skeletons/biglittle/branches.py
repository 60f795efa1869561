"""Define the size of the little branch: alpha and beta of the paper. No torch here."""

from res2net.blocks.base import Shape
from res2net.tally import Count, at_least_one

ALPHA = 2  # the little branch has 1/alpha of the big branch's channels
BETA = 4  # and 1/beta of its blocks (the paper's bL-ResNet with alpha 2, beta 4)


def little_blocks(blocks: Count) -> Count:
    """Count the blocks of the little branch in a stage of `blocks` blocks."""
    return at_least_one(blocks // BETA - 1)


def little_shape(shape: Shape) -> Shape:
    """Give the blocks of the little branch 1/alpha of the width."""
    return shape._replace(width=at_least_one(shape.width // ALPHA))
