"""Finds the values of a prior among the dimensions of a space."""

from collections.abc import Mapping
from typing import Any

from res2net import Architecture, ArchitectureError
from res2net.architecture import one_if_equal, written
from res2net.skeletons import blocks_of
from search.schema.network import Network
from search.schema.prior import Prior
from search.schema.values import EachStage, MisfitError
from search.space.axis import Dimension

_SHOWN = 8  # values of a dimension that a message lists


def spelled(prior: Prior, network: Network) -> Prior:
    """The same prior, its depth normalized as in a space: 29 layers and [3, 3, 3] are the same.

    Args:
        prior: prior of the space file.
        network: the dimensions; where each stage varies separately, so does its depth.
    """
    if prior.depth is None:
        return prior
    for skeleton, depth in network.forms():
        if prior.skeleton not in (None, skeleton):
            continue
        try:
            wanted = blocks_of(skeleton, prior.depth)
        except ArchitectureError:
            continue
        if wanted == blocks_of(skeleton, depth):
            one = Architecture(skeleton=skeleton, depth=wanted).depth
            staged = isinstance(network.depth, EachStage)
            return prior.model_copy(update={"depth": wanted if staged else one})
    return prior


def places_of(prior: Prior, dimensions: tuple[Dimension, ...]) -> tuple[int, ...]:
    """The index of each value of a prior in its dimension; -1 where the prior gives none.

    Args:
        prior: prior of the space file, from `spelled`.
        dimensions: dimensions of the space, those that have more than one value.

    Raises:
        MisfitError: a value that its dimension lacks, or of a dimension that does not vary.
    """
    wanted = prior.values()
    stages: dict[str, int] = {}  # number of each field's dimensions so far
    for dimension in dimensions:
        field = _field(dimension)
        stages[field] = stages.get(field, 0) + 1
    for name, value in wanted.items():
        if name not in stages:
            raise MisfitError(
                f"search.prior.{name}",
                f"does not vary in this space ({', '.join(stages)}); remove it",
            )
        if stages[name] > 1 and isinstance(value, tuple) and len(value) != stages[name]:
            raise MisfitError(
                f"search.prior.{name}",
                f"has {len(value)} values, but there are {stages[name]} stages; write one for "
                "each, or one for all",
            )
    return tuple(_place(wanted, dimension) for dimension in dimensions)


def _place(wanted: Mapping[str, Any], dimension: Dimension) -> int:
    field, values = _field(dimension), dimension.values
    if field not in wanted:
        return -1
    value = wanted[field]
    if value not in values:  # equal blocks in all stages are a value too
        value = one_if_equal(value)
    if dimension.name != field and isinstance(value, tuple):
        value = value[int(dimension.name.rpartition(" ")[2]) - 1]
    if value not in values:
        shown = ", ".join(map(written, values[:_SHOWN])) + (", ..." * (len(values) > _SHOWN))
        raise MisfitError(
            f"search.prior.{field}",
            f"{written(value)} is not among the values of network.{field} ({shown}); write one "
            "of them",
        )
    return values.index(value)


def _field(dimension: Dimension) -> str:
    """The field of a dimension: `scale`, also for `scale of stage 1`."""
    return dimension.name.partition(" of stage ")[0]
