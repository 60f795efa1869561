"""The prior of a search: where good networks are thought to be."""

from pydantic import PositiveFloat

from search.schema.some_network import SomeNetwork


class Prior(SomeNetwork):
    """Values that are thought to be good; what is left out may be anything."""

    confidence: PositiveFloat = 10.0
    """How much it weighs: after so many trials it counts as much as one width of its bell; from
    then on results count for more and more. [trials]
    """
