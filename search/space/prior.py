"""Finds the values of a prior among the dimensions of a space."""

from search.schema.prior import Prior
from search.schema.values import MisfitError
from search.space.axis import Dimension

_SHOWN = 8  # values of a dimension that a message lists


def places_of(prior: Prior, dimensions: tuple[Dimension, ...]) -> tuple[int, ...]:
    """The index of each value of a prior in its dimension; -1 where it says nothing.

    Args:
        prior: of the space file.
        dimensions: of the space, those that have more than one value.

    Raises:
        MisfitError: a value that its dimension does not have, or of one that does not vary.
    """
    wanted = prior.values()
    known = {dimension.name: dimension for dimension in dimensions}
    for name, value in wanted.items():
        if name not in known:
            raise MisfitError(
                f"search.prior.{name}",
                f"does not vary in this space ({', '.join(known)}); take it out",
            )
        if value not in known[name].values:
            values = known[name].values
            shown = ", ".join(map(str, values[:_SHOWN])) + (", ..." * (len(values) > _SHOWN))
            raise MisfitError(
                f"search.prior.{name}",
                f"{value} is not among the values of network.{name} ({shown}); write one of "
                "them",
            )
    return tuple(d.values.index(wanted[d.name]) if d.name in wanted else -1 for d in dimensions)
