"""The search section: what is proposed, how many networks, with how many seeds each."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, PositiveInt, ValidationInfo, model_validator

from search.schema.parts import Choice, choice_from, is_trusted
from search.schema.prior import Prior
from search.schema.samplers import SAMPLERS
from search.schema.section import Section
from search.schema.some_network import SomeNetwork
from search.schema.tune import Tune, tune_from
from search.schema.values import MisfitError


class Base(SomeNetwork):
    """Where the axes meet; for a dimension left out, the first value in the file."""


class Search(Section):
    """What is proposed, how many networks are tried, and with how many seeds each.

    `base` and `solve` are for the sampler `axes`: its networks differ from the base in one
    dimension at a time, and in the dimension `solve`, which takes the value with the most
    multiply-adds inside the budget.
    """

    sampler: Annotated[Choice, BeforeValidator(choice_from(SAMPLERS))] = Choice(name="tpe")
    """Which candidates are tried, in which order."""
    trials: PositiveInt | Literal["all"] = "all"
    """Networks to try; `all`, for samplers that end by themselves. [networks]"""
    per_band: PositiveInt | None = None
    """Networks to try in each band of a budget that has `bands`, instead of `trials`; of a band
    that holds fewer, all are tried. [networks]
    """
    ordered: bool = False
    """Whether a proposal sees exactly the results of the trials up to `concurrency` before it,
    whichever end first: then a search with many workers is the same each time.
    """
    concurrency: PositiveInt | None = None
    """For `ordered`: trials that may run at once. [trials]"""
    seeds: PositiveInt = 1
    """Trials of each network, each with another seed. [trials]"""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of every random choice of the study."""
    objectives: tuple[str, ...] = ()
    """Objectives by which networks are compared; the first one that trials report ranks them.
    Empty: the first metric of the task.
    """
    base: Base = Base()
    """For `axes` and `isomacs`: the network from which the others differ in one dimension."""
    prior: Prior | None = None
    """Where good networks are expected, for samplers that take a prior."""
    tune: Annotated[Tune | None, BeforeValidator(tune_from)] = None
    """Settings of the recipe that are tuned for each network."""
    warm_start: tuple[str, ...] = ()
    """Folders of other runs with the same data and recipe: the sampler learns from their
    finished trials, and proposes none of these networks again.
    """
    solve: Literal["depth", "width", "scale", "cardinality"] | None = None
    """For `axes` and `isomacs`: the dimension that takes, for each network, the value with the
    most multiply-adds inside the budget.
    """

    @property
    def has_axes(self) -> bool:
        """Whether the sampler varies one dimension of a base at a time."""
        return "axes" in SAMPLERS[self.sampler.name].traits

    @model_validator(mode="after")
    def _for_the_sampler(self, info: ValidationInfo) -> Self:
        if is_trusted(info):
            return self
        self._check_bands()
        self._check_order()
        self._check_trials()
        self._check_solve()
        if self.prior is not None and "prior" not in SAMPLERS[self.sampler.name].traits:
            able = [name for name, facts in SAMPLERS.ours.items() if "prior" in facts.traits]
            raise MisfitError(
                "search.prior",
                f"is not used by {self.sampler.name}; write sampler: {' or '.join(able)}, or "
                "remove it",
            )
        return self

    def _check_trials(self) -> None:
        ends = SAMPLERS[self.sampler.name].ends or self.per_band is not None
        if self.trials != "all" or ends:
            return
        missing = "is missing; add it (trials: 100)"
        unending = (
            f"is only for samplers that end by themselves, which {self.sampler.name} does "
            "not; write a number such as 100"
        )
        raise MisfitError(
            "search.trials",
            f"{unending if 'trials' in self.model_fields_set else missing}, or write "
            "sampler: grid for all candidates",
        )

    def _check_solve(self) -> None:
        if "solves" in SAMPLERS[self.sampler.name].traits and not self.solve:
            raise MisfitError(
                "search.solve",
                f"is missing: {self.sampler.name} compares networks of equal cost; write "
                "solve: width, or another dimension to spend what the others leave",
            )
        if self.solve and getattr(self.base, self.solve) is not None:
            raise MisfitError(
                f"search.base.{self.solve}",
                "has no effect, because it is solved for; remove it",
            )
        for key, unset in (("base", Base()), ("solve", None)):
            if not self.has_axes and getattr(self, key) != unset:
                raise MisfitError(
                    f"search.{key}",
                    "is only for the samplers axes and isomacs; write one of them, or "
                    "remove it",
                )

    def _check_bands(self) -> None:
        if self.per_band is None:
            return
        if self.has_axes:
            raise MisfitError(
                "search.per_band", f"is not used by {self.sampler.name}; remove it"
            )
        if self.warm_start:
            raise MisfitError(
                "search.warm_start",
                "cannot be combined with per_band yet; leave one of them out",
            )
        if isinstance(self.trials, int) and type(self) is Search:
            raise MisfitError(
                "search.trials", "and per_band both set the number of networks; leave one out"
            )

    def _check_order(self) -> None:
        if self.ordered and self.concurrency is None:
            raise MisfitError(
                "search.ordered",
                "needs to know how many trials run at once; write concurrency: 8, or as many "
                "as there are workers",
            )
        if self.concurrency is not None and not self.ordered:
            raise MisfitError(
                "search.concurrency", "is only for ordered: true; write that, or remove it"
            )


class PlannedSearch(Search):
    """The same in numbers: `trials` networks, every objective named."""

    trials: PositiveInt
