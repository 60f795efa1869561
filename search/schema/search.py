"""The `search` section: what is proposed, how many networks, with how many seeds each."""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from res2net.architecture import PerStage
from res2net.skeletons import Depth
from search.schema.section import Section
from search.schema.values import MisfitError

_WHOLE_SPACE = ("grid", "axes")  # they end by themselves, so `trials` may be left out


class Base(Section):
    """Where the axes meet; of a dimension left out, the first value in the file."""

    skeleton: str | None = None
    depth: Depth | None = None
    width: PerStage | None = None
    scale: PerStage | None = None
    cardinality: PerStage | None = None
    se: bool | None = None


class Search(Section):
    """What is proposed, how many networks are tried, and with how many seeds each.

    `base` and `solve` are for the sampler `axes`: one dimension at a time away from the base,
    while the dimension `solve` takes, for each of them, what spends most of the budget.
    """

    sampler: Literal["tpe", "random", "grid", "axes"] = "tpe"
    trials: PositiveInt | Literal["all"] = "all"  # networks; each has a trial for each seed
    seeds: PositiveInt = 1
    seed: Annotated[int, Field(ge=0)] = 0
    objectives: tuple[Literal["val_error", "macs", "params", "activations"], ...] = (
        "val_error",
    )
    base: Base = Base()
    solve: Literal["depth", "width", "scale", "cardinality"] | None = None

    @property
    def networks(self) -> int:
        """How many are tried, once `all` has been counted (`search.plan.counted`)."""
        assert self.trials != "all", "counted before anything runs"
        return self.trials

    @model_validator(mode="after")
    def _measured(self) -> Self:
        if "val_error" not in self.objectives or len({*self.objectives}) < len(self.objectives):
            raise MisfitError(
                "search.objectives", "must hold val_error, and each objective once"
            )
        return self

    @model_validator(mode="after")
    def _for_the_sampler(self) -> Self:
        if self.trials == "all" and self.sampler not in _WHOLE_SPACE:
            raise MisfitError(
                "search.trials",
                "is missing; add it (trials: 100), or write sampler: grid for all candidates",
            )
        if self.solve and getattr(self.base, self.solve) is not None:
            raise MisfitError(
                f"search.base.{self.solve}", "has no use, because it is solved; take it out"
            )
        for key, unset in (("base", Base()), ("solve", None)):
            if self.sampler != "axes" and getattr(self, key) != unset:
                raise MisfitError(
                    f"search.{key}", "is for the sampler axes; write that, or take it out"
                )
        return self
