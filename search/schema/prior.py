"""The prior of a search: where good networks are expected."""

from pydantic import PositiveFloat

from search.schema.some_network import SomeNetwork


class Prior(SomeNetwork):
    """Values that are expected to be good; any value is as good where none is given."""

    confidence: PositiveFloat = 10.0
    """Weight of the prior: after so many trials it counts with its own density; before that it
    counts more, and later less and less. [trials]
    """
