"""The table of schedulers, which end some trials before their last epoch. No torch here."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple

from pydantic import Field, PositiveInt

from res2net.plugins import PluginError
from search.schema.parts import Choice, NoOptions, Table, traits_of
from search.schema.section import Section
from search.schema.values import MisfitError

TRAITS: Mapping[str, str] = {
    "stops": "ends trials before their last epoch",
    "pauses": "lets trials rest, which may go on later from their checkpoint",
}


class SchedulerFacts(NamedTuple):
    """Facts about a scheduler.

    Its maker takes (epochs, trials, objectives, **options). Options that are set may add
    traits: `scheduler_traits` gives those of a choice.
    """

    maker: str
    traits: frozenset[str]
    summary: str
    options: type[Section] | None = NoOptions
    added: Mapping[str, frozenset[str]] = MappingProxyType({})  # traits by option


class _Options(Section):
    """Keys of a scheduler, which may not fit every study."""

    def check(self, *, epochs: int, trials: int | None) -> None:
        """Check that the keys fit a study.

        Args:
            epochs: epochs of a complete trial.
            trials: networks of the search; None where that is not known yet.

        Raises:
            MisfitError: one does not fit; the message says which, and what to write.
        """


class Asha(_Options):
    """Keys of asynchronous successive halving."""

    grace: PositiveInt = 1
    """Length of the first rung: before it no trial is stopped. [epochs]"""
    reduction: Annotated[int, Field(ge=2)] = 3
    """One trial in so many continues at each rung; epochs between rungs grow by this factor."""
    promotion: bool = False
    """Trials pause at each rung, and resume once they are among the best there."""

    def check(self, *, epochs: int, trials: int | None) -> None:  # noqa: ARG002 - fits any
        """Make sure that there are epochs left to save after `grace`."""
        _check_shorter("grace", self.grace, epochs)


class Hyperband(_Options):
    """Keys of asynchronous HyperBand."""

    grace: PositiveInt = 1
    """Length of the first bracket's first rung: before it no trial is stopped. [epochs]"""
    reduction: Annotated[int, Field(ge=2)] = 3
    """One trial in so many continues at each rung; epochs between rungs grow by this factor."""
    brackets: PositiveInt = 2
    """Brackets among which networks are distributed; the first rung of each is `reduction`
    times that of the bracket before it.
    """

    def check(self, *, epochs: int, trials: int | None) -> None:  # noqa: ARG002 - fits any
        """Make sure that the last bracket can stop trials."""
        _check_shorter("grace", self.grace, epochs)
        fits = 1
        while self.grace * self.reduction**fits < epochs:
            fits += 1
        if self.brackets > fits:
            raise MisfitError(
                "scheduler.brackets",
                f"is more than fit: the first rung of the last would be at epoch "
                f"{self.grace * self.reduction ** (self.brackets - 1):,} of {epochs:,}; write "
                f"at most {fits}, or lower grace or reduction",
            )


class Median(_Options):
    """Keys of the median stopping rule."""

    grace: PositiveInt = 1
    """No trial is stopped before this epoch. [epochs]"""
    at_least: PositiveInt = 3
    """Other trials that must have reached an epoch before one is stopped there. [trials]"""

    def check(self, *, epochs: int, trials: int | None) -> None:  # noqa: ARG002 - fits any
        """Make sure that there are epochs left to save after `grace`."""
        _check_shorter("grace", self.grace, epochs)


class OneEpoch(_Options):
    """Keys of the baseline that judges networks by their first epochs."""

    keep: PositiveInt | None = None
    """Networks that are trained to the end; left out, a tenth of `search.trials`, at least one.
    [networks]
    """
    after: PositiveInt = 1
    """Length of each trial before it is paused. [epochs]"""

    def check(self, *, epochs: int, trials: int | None) -> None:
        """Make sure that some networks are paused, and some resume."""
        _check_shorter("after", self.after, epochs)
        if self.keep is not None and trials is not None and self.keep > trials:
            raise MisfitError(
                "scheduler.keep",
                f"is more than search.trials {trials:,}; write at most that",
            )


class Curves(_Options):
    """Keys of the scheduler that extrapolates learning curves."""

    grace: PositiveInt = 1
    """Length of every trial before it is first paused. [epochs]"""
    quantum: PositiveInt = 1
    """Epochs after which a resumed trial is paused again. [epochs]"""
    share: Annotated[float, Field(gt=0, le=1)] = 0.3
    """Share of all epochs, if every trial of the search ran to its end, that is spent before
    the paused trials end, except one that runs to its end in any case.
    """

    def check(self, *, epochs: int, trials: int | None) -> None:  # noqa: ARG002 - fits any
        """Make sure that epochs are left to spend after each network's first ones."""
        _check_shorter("grace", self.grace, epochs)
        if self.grace > self.share * epochs * (1 + 1e-9):  # 0.29 of 100 is a little below 29
            least = math.ceil(100 * self.grace / epochs) / 100
            raise MisfitError(
                "scheduler.share",
                f"of {epochs:,} epochs is less than grace {self.grace:,}, which every network "
                f"takes; write {least:g} or more, or lower grace",
            )


def _check_shorter(key: str, value: int, epochs: int) -> None:
    if value >= epochs:
        raise MisfitError(
            f"scheduler.{key}",
            f"leaves nothing of training.epochs {epochs} to save; lower it, or write "
            "name: fifo",
        )


def _foreign(name: str, value: Any) -> SchedulerFacts:
    if not callable(value):
        raise PluginError(
            f"{name}: is not a scheduler; write a class or function that takes (*, epochs, "
            "trials, objectives) and its own options"
        )
    summary = (value.__doc__ or "").strip().partition("\n")[0]
    return SchedulerFacts(name, traits_of(name, value, TRAITS), summary, None)


SCHEDULERS = Table(
    "scheduler",
    {
        "fifo": SchedulerFacts(
            "search.schedulers.base:Fifo", frozenset(), "every trial runs to its last epoch"
        ),
        "asha": SchedulerFacts(
            "search.schedulers.asha:make_asha",
            frozenset({"stops"}),
            "asynchronous successive halving: trials that are not among the best end",
            Asha,
            {"promotion": frozenset({"pauses"})},
        ),
        "hyperband": SchedulerFacts(
            "search.schedulers.hyperband:Hyperband",
            frozenset({"stops"}),
            "asynchronous HyperBand: brackets of asha that begin to stop at different epochs",
            Hyperband,
        ),
        "median": SchedulerFacts(
            "search.schedulers.median:Median",
            frozenset({"stops"}),
            "the median stopping rule: trials end whose best is worse than the others' median",
            Median,
        ),
        "one_epoch": SchedulerFacts(
            "search.schedulers.one_epoch:OneEpoch",
            frozenset({"stops", "pauses"}),
            "every trial rests after its first epoch, and the best few go on to the end",
            OneEpoch,
        ),
        "curves": SchedulerFacts(
            "search.schedulers.curves:Curves",
            frozenset({"stops", "pauses"}),
            "freeze and thaw: the trial goes on whose learning curve promises most",
            Curves,
        ),
    },
    _foreign,
)


def check_scheduler(choice: Choice, *, epochs: int, trials: int | None) -> None:
    """Check that the keys of our schedulers fit a study; foreign ones check their own.

    Args:
        choice: its name and options.
        epochs: epochs of a complete trial.
        trials: networks of the search; None where that is not known yet.

    Raises:
        MisfitError: one does not fit.
    """
    schema = SCHEDULERS.ours[choice.name].options if choice.name in SCHEDULERS.ours else None
    if schema is not None and issubclass(schema, _Options):
        schema.model_validate(choice.options).check(epochs=epochs, trials=trials)


def scheduler_traits(choice: Choice) -> frozenset[str]:
    """The traits of a scheduler with its options.

    Raises:
        PluginError: it is a foreign one that cannot be imported.
    """
    facts = SCHEDULERS[choice.name]
    added = (traits for key, traits in facts.added.items() if choice.options.get(key))
    return facts.traits.union(*added)
