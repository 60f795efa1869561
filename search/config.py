"""The space file's schema: read strictly, every mistake named with its place and remedy.

Comes out: a `Config`, frozen, with every default filled in. No torch here.
"""

import math
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    PositiveInt,
    ValidationError,
    model_validator,
)

from res2net import ArchitectureError, cost
from res2net.skeletons import skeleton_of
from search.axes import Axes
from search.budget import Budget
from search.engine.recipe import Training
from search.explaining import explain
from search.grid import axes_of
from search.images.section import Data
from search.network import Network
from search.reading import ConfigError, Document, read
from search.resolving import with_habits, with_recipe, with_tree
from search.sampling import Base, Search
from search.section import Section
from search.values import MisfitError

_MOST_CANDIDATES = 20_000_000


class Scheduler(Section):
    """Early stopping: none (fifo), or asynchronous successive halving (asha)."""

    name: Literal["fifo", "asha"] = "fifo"
    grace: PositiveInt = 1  # epochs before a trial may be stopped
    reduction: Annotated[int, Field(ge=2)] = 3  # one in so many goes on at each rung


class Confirm(Section):
    """The best networks of the search, trained again with fresh seeds."""

    top: PositiveInt
    seeds: PositiveInt
    epochs: PositiveInt


def gpu_share(value: Any) -> float | str:
    """GPUs of one trial, a share of one below 1; or auto: as many trials on one as pay."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value != "auto" and not (number and 0 <= value < math.inf):
        raise ValueError("is not a number of GPUs; write 0, 0.5, 1 or auto")
    return value if value == "auto" else float(value)


class Resources(Section):
    """What one trial takes; `cpu` is also the threads it computes with."""

    gpu: Annotated[float | Literal["auto"], BeforeValidator(gpu_share)] = 0.0
    cpu: PositiveInt = 1

    @property
    def gpus(self) -> float:
        """GPUs of one trial, once auto has been measured (`search.engine.packing`)."""
        assert self.gpu != "auto", "measured before anything runs"
        return self.gpu


class Config(Section):
    """A whole space file."""

    study: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    network: Network
    budget: Budget = Budget()
    data: Data
    training: Training
    search: Search
    scheduler: Scheduler = Scheduler()
    confirm: Confirm | None = None
    resources: Resources = Resources()

    @model_validator(mode="after")
    def _fits_asha(self) -> Self:
        if self.scheduler.name != "asha":
            return self
        if self.scheduler.grace >= self.training.epochs:
            raise MisfitError(
                "scheduler.grace",
                f"leaves nothing of training.epochs {self.training.epochs} to save; lower it, "
                "or write name: fifo",
            )
        if len(self.search.objectives) > 1:
            raise MisfitError("scheduler.name", "needs a single objective; write fifo")
        if self.search.seeds > 1:
            raise MisfitError(
                "search.seeds",
                "need whole trials, which asha does not leave; write scheduler: {name: fifo}, "
                "or give the best their seeds with confirm",
            )
        return self

    @model_validator(mode="after")
    def _can_fill(self) -> Self:
        if self.network.width != "fill":
            return self
        limits = self.budget.bands().values()
        if all(band.max is None for band in limits):
            raise MisfitError(
                "network.width", "needs a limit to fill; write budget: {macs: {max: 4.0G}}"
            )
        if self.search.base.width is not None:
            raise MisfitError("search.base.width", "has no use with width: fill; take it out")
        if self.search.solve:
            raise MisfitError(
                "search.solve", "is of no use with width: fill, which solves; take one out"
            )
        return self

    @model_validator(mode="after")
    def _can_solve(self) -> Self:
        if self.search.solve and all(b.max is None for b in self.budget.bands().values()):
            raise MisfitError(
                "search.solve", "needs a limit to spend; write budget: {macs: {max: 4.0G}}"
            )
        return self

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        too_long = self.training.too_long(self.confirm.epochs) if self.confirm else ""
        if too_long:
            raise MisfitError("confirm.epochs", f"is too few: {too_long}")
        gpu = self.resources.gpu
        if not gpu and self.training.execution == "graphs":
            raise MisfitError(
                "training.execution", "needs a GPU; write eager, or resources: {gpu: 1}"
            )
        if gpu != "auto" and gpu > 1 and gpu % 1:
            raise MisfitError("resources.gpu", "is above 1 and not whole; write 2 or 0.5")
        return self


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
