"""A space file is read and checked: whatever can be known is refused before anything runs."""

import math
from pathlib import Path

from pydantic import ValidationError

from res2net import ArchitectureError, cost
from res2net.skeletons import skeleton_of
from search.images.resolve import with_tree
from search.schema.config import Config
from search.schema.messages import explain
from search.schema.recipes import with_habits, with_recipe
from search.schema.search import Base
from search.schema.values import MisfitError
from search.schema.yaml import ConfigError, Document, read
from search.space.axes import Axes
from search.space.grid import axes_of

_MOST_CANDIDATES = 20_000_000


def load(path: Path, overrides: tuple[str, ...] = ()) -> tuple[Config, Document]:
    """Read and check a space file.

    Args:
        path: the YAML file.
        overrides: `key.subkey=value` texts laid over it (`--set`).

    Returns:
        The config, and the document that knows where each of its values stands.

    Raises:
        ConfigError: everything that is wrong, one line each with place, rule and remedy.
    """
    document = read(path, overrides)
    document = document._replace(data=with_recipe(document))
    try:
        config = Config.model_validate(document.data)
    except ValidationError as error:
        raise ConfigError(*explain(error, document, Config)) from error
    data = with_tree(config.data, document)
    training = with_habits(config.training, data)
    config = config.model_copy(update={"data": data, "training": training})
    _check_batch(config, document)
    _check_squares(config, document)
    _check_resolution(config, document)
    try:
        list(config.network.probes(config.data.facts.classes))
    except ArchitectureError as error:
        place = document.place(("network", error.field))
        raise ConfigError(f"{place}: network.{error.field}: {error.problem}") from error
    _check_countable(config, document)
    _check_surveyable(config, document)
    return _with_base(config, document), document


def _check_batch(config: Config, document: Document) -> None:
    images, size = config.data.train_images, config.training.batch_size
    if size > images:
        raise ConfigError(
            f"{document.place(('training', 'batch_size'))}: training.batch_size: {size:,} is "
            f"more than the {images:,} images that are trained on; lower it"
        )


def _check_squares(config: Config, document: Document) -> None:
    side = config.data.facts.image_size
    for key in ("crop", "cutout"):
        pixels = getattr(config.training, key)
        if pixels >= side:
            raise ConfigError(
                f"{document.place(('training', key))}: training.{key}: {pixels} px leave "
                f"nothing of images of {side} px; lower it"
            )


def _check_resolution(config: Config, document: Document) -> None:
    """The chosen resolution must give each network's last features at least one whole place."""
    resolution = config.data.resolution
    for skeleton, _ in config.network.forms():
        stride = skeleton_of(skeleton).strides[-1]
        if resolution is not None and resolution < stride:
            place = document.place(("data", "resolution"))
            raise ConfigError(
                f"{place}: data.resolution: {resolution} px is less than the {stride} px that "
                f"one place of {skeleton}'s last features spans; write at least that"
            )


def _check_countable(config: Config, document: Document) -> None:
    """Grids are counted in 64-bit integers, which wrap without a word."""
    facts = config.data.facts
    for largest in config.network.largest(facts.classes):
        if cost(largest, image_size=facts.image_size).macs >= 2**62:
            raise ConfigError(
                f"{document.place(('network',))}: network: its largest candidate "
                f"({largest.name}) has more than 2**62 multiply-adds, too many to count; "
                "lower the largest values"
            )


def _check_surveyable(config: Config, document: Document) -> None:
    """Each candidate is counted before anything else: a few million a second."""
    network = config.network
    sizes = [network.count(field) for field in ("width", "scale", "cardinality")]
    candidates = len(network.forms()) * len(network.se) * math.prod(sizes)
    if candidates > _MOST_CANDIDATES:
        raise ConfigError(
            f"{document.place(('network',))}: network: names {candidates:,} combinations, more "
            f"than the {_MOST_CANDIDATES:,} that are surveyed; write fewer values, or fewer of "
            "them per_stage"
        )


def _with_base(config: Config, document: Document) -> Config:
    """The config of axes with the whole base, so that its record says where they meet."""
    if config.search.sampler != "axes":
        return config
    try:
        axes = Axes(axes_of(config.network)[0], config.search)
    except MisfitError as error:
        place = document.place(tuple(error.at.split(".")))
        raise ConfigError(f"{place}: {error.at}: {error}") from error
    search = config.search.model_copy(update={"base": Base(**axes.values)})
    return config.model_copy(update={"search": search})
