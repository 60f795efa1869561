"""The search section: what is proposed, how many networks, with how many seeds each."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, PositiveInt, ValidationInfo, model_validator

from res2net.architecture import PerStage
from res2net.skeletons import Depth
from search.schema.parts import Choice, choice_from, is_trusted
from search.schema.samplers import SAMPLERS
from search.schema.section import Section
from search.schema.values import MisfitError


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

    sampler: Annotated[Choice, BeforeValidator(choice_from(SAMPLERS))] = Choice(name="tpe")
    trials: PositiveInt | Literal["all"] = "all"  # networks; each has a trial for each seed
    seeds: PositiveInt = 1
    seed: Annotated[int, Field(ge=0)] = 0
    objectives: tuple[str, ...] = ()  # the first reported one ranks; none: the task's own
    base: Base = Base()
    solve: Literal["depth", "width", "scale", "cardinality"] | None = None

    @property
    def has_axes(self) -> bool:
        """Whether the sampler leaves a base in one dimension at a time."""
        return "axes" in SAMPLERS[self.sampler.name].traits

    @model_validator(mode="after")
    def _for_the_sampler(self, info: ValidationInfo) -> Self:
        if is_trusted(info):
            return self
        if self.trials == "all" and not SAMPLERS[self.sampler.name].ends:
            raise MisfitError(
                "search.trials",
                "is missing; add it (trials: 100), or write sampler: grid for all candidates",
            )
        if self.solve and getattr(self.base, self.solve) is not None:
            raise MisfitError(
                f"search.base.{self.solve}", "has no use, because it is solved; take it out"
            )
        for key, unset in (("base", Base()), ("solve", None)):
            if not self.has_axes and getattr(self, key) != unset:
                raise MisfitError(
                    f"search.{key}", "is for the sampler axes; write that, or take it out"
                )
        return self


class PlannedSearch(Search):
    """The same in numbers: `trials` networks, every objective named."""

    trials: PositiveInt
