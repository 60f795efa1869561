"""The space file's schema: read strictly, every mistake named with its place and remedy.

Comes out: a `Config`, frozen, with every default filled in. No torch here.
"""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    PositiveInt,
    model_validator,
)

from search.schema.budget import Budget
from search.schema.data import Data
from search.schema.network import Network
from search.schema.search import Search
from search.schema.section import Section
from search.schema.training import Training
from search.schema.values import MisfitError

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
        """GPUs of one trial, once auto has been measured (`search.profiling.packing`)."""
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
