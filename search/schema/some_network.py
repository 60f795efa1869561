"""Values of a network, any of which may be left out. No torch here."""

from typing import Any

from pydantic import PositiveInt

from res2net.architecture import PerStage
from res2net.skeletons import Depth
from search.schema.section import Section


class SomeNetwork(Section):
    """Values of a network by dimension."""

    skeleton: str | None = None
    """Skeleton of the network."""
    depth: Depth | None = None
    """Layers, or the blocks of each stage. [layers]"""
    width: PerStage | None = None
    """Width of one group of one split in the first stage. [channels]"""
    scale: PerStage | None = None
    """Splits of a block. [splits]"""
    cardinality: PerStage | None = None
    """Groups of each convolution of a split. [groups]"""
    se: bool | None = None
    """Whether blocks have squeeze-and-excitation."""

    planes: PositiveInt | None = None
    """Planes of the first stage. [channels]"""
    resolution: PositiveInt | None = None
    """Side of the images that the network sees. [pixels]"""

    def values(self) -> dict[str, Any]:
        """The values that were given, by dimension."""
        names = [*SomeNetwork.model_fields]
        return {key: value for key in names if (value := getattr(self, key)) is not None}
