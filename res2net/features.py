"""Describe the features that a backbone outputs, before it is built. No torch here."""

from typing import NamedTuple

from res2net.architecture import Architecture
from res2net.layout import lay_out
from res2net.tally import ImageSize, Size, size_of, strided


class FeatureMap(NamedTuple):
    """Describe the output of a stage for one image."""

    channels: int
    stride: int  # relative to the image
    size: Size


def feature_maps(
    architecture: Architecture, *, image_size: ImageSize, output_stride: int | None = None
) -> tuple[FeatureMap, ...]:
    """Describe the features of every stage, in order.

    They do not depend on blocks, width, scale, cardinality or squeeze-and-excitation.

    Args:
        architecture: the network.
        image_size: side of the square input in pixels, or height and width.
        output_stride: as for `res2net.build`.

    Raises:
        ArchitectureError: the skeleton has no such output stride.
    """
    image = size_of(image_size)
    return tuple(
        FeatureMap(stage.out, stage.pace.reached, strided(image, stage.pace.reached))
        for stage in lay_out(architecture, output_stride=output_stride).stages
    )
