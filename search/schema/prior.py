"""The prior of a search: where good networks are thought to be."""

from typing import Any

from pydantic import PositiveFloat

from res2net.architecture import PerStage
from res2net.skeletons import Depth
from search.schema.section import Section


class Prior(Section):
    """Values that are thought to be good; what is left out may be anything."""

    skeleton: str | None = None
    """Of the network that is thought to be good."""
    depth: Depth | None = None
    """Of the same. [layers]"""
    width: PerStage | None = None
    """Of the same. [channels]"""
    scale: PerStage | None = None
    """Of the same. [splits]"""
    cardinality: PerStage | None = None
    """Of the same. [groups]"""
    se: bool | None = None
    """Of the same."""
    confidence: PositiveFloat = 10.0
    """How much it weighs: after so many trials it counts as much as one width of its bell; from
    then on results count for more and more. [trials]
    """

    def values(self) -> dict[str, Any]:
        """What it says, by dimension."""
        return self.model_dump(exclude_none=True, exclude={"confidence"})
