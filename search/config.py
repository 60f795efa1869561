"""The space file's schema: read strictly, every mistake named with its place and remedy.

Comes out: a `Config`, frozen, with every default filled in. No torch here.
"""

import math
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import (
    BeforeValidator,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from res2net import ArchitectureError, cost
from search.datasets import DATASETS, Dataset
from search.explaining import explain
from search.network import Network
from search.reading import ConfigError, Document, read
from search.section import Section
from search.values import MisfitError, amount

_MOST_CANDIDATES = 20_000_000
Objective = Literal["val_error", "macs", "params", "activations"]
DatasetName = Literal["digits", "cifar10", "cifar100", "synthetic"]
assert set(get_args(DatasetName)) == set(DATASETS), "one name for one data set"

Fraction = Annotated[float, Field(ge=0, lt=1)]
Amount = Annotated[int | None, BeforeValidator(amount)]


class Band(Section):
    """Inclusive limits; amounts such as 4.0G or 40M."""

    min: Amount = None
    max: Amount = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("gives no limit; write {max: ...}, {min: ...} or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:,} is above max {self.max:,}; swap them")
        return self


class Budget(Section):
    """Hard limits of every candidate, per image; none is ever proposed outside."""

    macs: Band | None = None
    params: Band | None = None
    activations: Band | None = None

    def bands(self) -> dict[str, Band]:
        """The limits that are set, by the name of what they limit."""
        named = {"macs": self.macs, "params": self.params, "activations": self.activations}
        return {name: band for name, band in named.items() if band is not None}


class Data(Section):
    """The images; `validation` of them are cut from train, `train` limits what is left."""

    name: DatasetName
    root: str = "data"
    validation: PositiveInt
    train: PositiveInt | None = None

    @property
    def facts(self) -> Dataset:
        """Sizes and official files of the data set."""
        return DATASETS[self.name]

    @property
    def train_images(self) -> int:
        """Images that a trial trains on."""
        return self.train or self.facts.train - self.validation

    @model_validator(mode="after")
    def _fits(self) -> Self:
        there = self.facts.train
        if self.validation + (self.train or 1) > there:
            wanted = f"validation {self.validation:,} + train {self.train or 1:,}"
            raise ValueError(f"{wanted} is more than the {there:,} training images; lower one")
        return self


class Training(Section):
    """The recipe: the same for every trial of a study."""

    epochs: PositiveInt
    batch_size: PositiveInt = 128
    optimizer: Literal["sgd"] = "sgd"
    lr: PositiveFloat = 0.1
    momentum: Fraction = 0.9
    nesterov: bool = True
    weight_decay: Annotated[float, Field(ge=0)] = 5e-4
    schedule: Literal["cosine", "step"] = "cosine"
    warmup: Annotated[float, Field(ge=0)] = 0.0  # epochs
    milestones: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (0.5, 0.75)
    gamma: Annotated[float, Field(gt=0, lt=1)] = 0.1
    label_smoothing: Fraction = 0.0
    precision: Literal["bf16", "fp32"] = "bf16"
    crop: Annotated[int, Field(ge=0)] | None = None  # pixels; None: the data set's habit
    flip: bool | None = None

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.warmup >= self.epochs:
            raise ValueError(f"warmup {self.warmup:g} takes all {self.epochs} epochs; lower it")
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs momentum above 0; set one of them")
        return self


class Search(Section):
    """What is proposed, and how many trials the search has."""

    sampler: Literal["tpe", "random", "grid"] = "tpe"
    trials: PositiveInt
    seed: Annotated[int, Field(ge=0)] = 0
    objectives: tuple[Literal["val_error", "macs", "params", "activations"], ...] = (
        "val_error",
    )

    @model_validator(mode="after")
    def _measured(self) -> Self:
        if "val_error" not in self.objectives or len({*self.objectives}) < len(self.objectives):
            raise ValueError("must hold val_error, and each objective once")
        return self


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


class Resources(Section):
    """What one trial takes; `cpu` is also the threads it computes with."""

    gpu: Annotated[float, Field(ge=0)] = 0.0
    cpu: PositiveInt = 1


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
    def _coherent(self) -> Self:
        asha = self.scheduler.name == "asha"
        if asha and self.scheduler.grace >= self.training.epochs:
            raise MisfitError(
                "scheduler.grace",
                f"leaves nothing of training.epochs {self.training.epochs} to save; lower it, "
                "or write name: fifo",
            )
        if asha and len(self.search.objectives) > 1:
            raise MisfitError("scheduler.name", "needs a single objective; write fifo")
        limits = self.budget.bands().values()
        if self.network.width == "fill" and all(band.max is None for band in limits):
            raise MisfitError(
                "network.width", "needs a limit to fill; write budget: {macs: {max: 4.0G}}"
            )
        if self.confirm and self.confirm.epochs <= self.training.warmup:
            raise MisfitError("confirm.epochs", "are all warm-up; write more of them")
        if self.resources.gpu > 1 and self.resources.gpu % 1:
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
    try:
        config = Config.model_validate(document.data)
    except ValidationError as error:
        raise ConfigError(*explain(error, document, Config)) from error
    try:
        list(config.network.probes(config.data.facts.classes))
    except ArchitectureError as error:
        place = document.place(("network", error.field))
        raise ConfigError(f"{place}: network.{error.field}: {error.problem}") from error
    _check_countable(config, document)
    _check_surveyable(config, document)
    return _with_habits(config), document


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


def _with_habits(config: Config) -> Config:
    """The data set's own augmentation where the file leaves it open."""
    facts, recipe = config.data.facts, config.training
    crop = facts.crop if recipe.crop is None else recipe.crop
    flip = facts.flip if recipe.flip is None else recipe.flip
    training = recipe.model_copy(update={"crop": crop, "flip": flip})
    return config.model_copy(update={"training": training})
