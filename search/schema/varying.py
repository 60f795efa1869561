"""Checks that what varies besides the network fits the rest of a space file."""

from collections.abc import Mapping, Sequence

from search.schema.data import Data
from search.schema.network import Network
from search.schema.optimizers import OPTIMIZERS
from search.schema.parts import Choice
from search.schema.schedulers import scheduler_traits
from search.schema.search import Search
from search.schema.training import Training
from search.schema.tune import check_tune
from search.schema.values import MisfitError


def check_varying(
    network: Network,
    data: Data,
    training: Training,
    search: Search,
    scheduler: Choice,
    *,
    confirms: bool,
) -> None:
    """Check settings with several values, which of them are tuned, and resolutions.

    Args:
        network: the dimensions.
        data: the images.
        training: the recipe, as written.
        search: gives what is tuned.
        scheduler: scheduler of the study.
        confirms: whether the best networks are trained again.

    Raises:
        MisfitError: they do not fit the rest, with the key to look at.
    """
    varied = training.varied
    if search.tune is not None:
        check_tune(search.tune, varied)
        _check_order(search)
    tuned = search.tune.keys if search.tune else ()
    free = [key for key in varied if key not in tuned]
    if free and search.has_axes:
        raise MisfitError(
            f"training.{free[0]}",
            f"has several values, but {search.sampler.name} compares networks along their "
            f"dimensions; write search: {{tune: [{free[0]}]}}, or one value",
        )
    _check_read(training)
    if "epochs" in varied and scheduler_traits(scheduler):
        raise MisfitError(
            "training.epochs",
            f"has several values, but {scheduler.name} compares trials at one epoch, where "
            "those of another length are elsewhere in their schedule; write one value, or "
            "scheduler: fifo",
        )
    if "epochs" in free and confirms:
        raise MisfitError(
            "training.epochs",
            "has several values, but confirm trains all networks for its own number of "
            "epochs, so some would be confirmed twice; write one value, or remove confirm",
        )
    _check_resolution(network, data)


def _check_read(training: Training) -> None:
    """Refuse a setting that the optimiser ignores: trials with other values would be equal."""
    facts = OPTIMIZERS[training.optimizer]
    unread = {"momentum"} - {*facts.keys}  # every optimiser of ours reads the others
    for key in training.varied:
        if key in unread and facts.options is not None:
            raise MisfitError(
                f"training.{key}",
                f"has several values, but {training.optimizer} does not read it; write one, "
                "or remove it",
            )


def check_known(network: Network, varied: Mapping[str, Sequence[float]], at: str) -> None:
    """Check that results of other runs can be identified by their network alone.

    Args:
        network: the dimensions.
        varied: settings with several values.
        at: the key that takes such results.

    Raises:
        MisfitError: trials of one network differ in more than their seed.
    """
    name = differing(network, varied)
    if name:
        raise MisfitError(
            at,
            f"looks up results by network, but here trials of one network differ in {name}; "
            f"remove it, or write one value of {name}",
        )


def differing(network: Network, varied: Mapping[str, Sequence[float]]) -> str:
    """In what trials of one network differ besides their seed; empty where in nothing.

    Args:
        network: the dimensions.
        varied: settings with several values.
    """
    names = [*varied, *(["resolution"] if len(network.resolution or ()) > 1 else [])]
    return names[0] if names else ""


def _check_order(search: Search) -> None:
    assert search.tune is not None, "asked with it"
    if search.ordered and search.tune.trials != "all":
        raise MisfitError(
            "search.tune.trials",
            "chooses tries by whichever ended first, which ordered excludes; remove it, so "
            "that each network is tried with all combinations",
        )


def _check_resolution(network: Network, data: Data) -> None:
    if not network.resolution:
        data.sides(data.facts)
        return
    if data.resolution is not None:
        raise MisfitError(
            "data.resolution",
            "and network.resolution both set what networks see; leave one of them out",
        )
    if data.resize is not None:
        raise MisfitError(
            "data.resize",
            "is for one resolution, but network.resolution stores each at its own; remove it",
        )
