"""The scheduler protocol: whether a trial continues, pauses or ends before its last epoch.

A scheduler is told of every epoch of the first trial of each network, in the order of the
journal, and of nothing else: so it can be rebuilt from the journal after a stop.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, Protocol, cast

from res2net.plugins import PluginError
from search.schema.metrics import Objective
from search.schema.parts import Choice, Guarded, made, require_methods
from search.schema.schedulers import SCHEDULERS, scheduler_traits


class Decision(StrEnum):
    """What happens to a trial after an epoch."""

    CONTINUE = "continue"
    PAUSE = "pause"  # it keeps its checkpoint, and may resume later
    STOP = "stop"  # it ends as pruned


class Spared(NamedTuple):
    """What a scheduler will surely not train, of the first trials that have not ended.

    Attributes:
        trials: trials that will end before their last epoch.
        epochs: epochs that will not be trained.
    """

    trials: int = 0
    epochs: int = 0


class Scheduler(Protocol):
    """Decides by the metrics of all trials so far."""

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> Decision:
        """Note a trial's metrics after `epoch` epochs, and decide about the trial.

        Args:
            trial: its number.
            epoch: the finished epoch, counted from 1; each is reported once, in order.
            metrics: what it reported, and what was counted of its network: every objective of
                the study is among them, by name.
        """

    def ended(self, trial: int) -> None:
        """Note that a trial ended, for whatever reason."""

    def resume(self) -> int | None:
        """A paused trial that should resume now, or None; the call does not resume it."""

    def resumed(self, trial: int) -> None:
        """Note that a paused trial resumes (now, or before a stop)."""


class Fifo:
    """Runs every trial to its last epoch.

    Attributes:
        rungs: epochs after which trials may be stopped: none.
    """

    rungs: tuple[int, ...] = ()

    def __init__(self, *, epochs: int, trials: int, objectives: Sequence[Objective]) -> None:
        """Do nothing: it depends on none of these."""

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> Decision:  # noqa: ARG002 - required by the protocol
        """Continue, whatever was reported."""
        return Decision.CONTINUE

    def ended(self, trial: int) -> None:
        """Do nothing: ends do not matter here."""

    def resume(self) -> int | None:
        """None, as no trial is ever paused."""
        return None

    def resumed(self, trial: int) -> None:
        """Do nothing: no trial is ever resumed."""


def make_scheduler(
    choice: Choice, *, epochs: int, trials: int, objectives: Sequence[Objective]
) -> Scheduler:
    """Make the scheduler that a study chose.

    Args:
        choice: its name and options.
        epochs: epochs of a complete trial.
        trials: number of first trials of networks, including all tries; a study that is
            extended has more.
        objectives: objectives by which networks are compared, including counted ones.

    Raises:
        PluginError: a foreign one cannot be made from these, or lacks a method.
    """
    maker = SCHEDULERS.make(choice.name)
    given = {"epochs": epochs, "trials": trials, "objectives": tuple(objectives)}
    scheduler = made(
        choice.name,
        lambda: maker(**given, **choice.options),
        "(*, epochs, trials, objectives) and its own options",
    )
    require_methods(choice.name, scheduler, "report", "ended", "resume", "resumed")
    if choice.name in SCHEDULERS.ours:
        return cast("Scheduler", scheduler)
    foreign = _Foreign(choice.name, Guarded(choice.name, scheduler), scheduler_traits(choice))
    foreign.rungs = rungs_of(scheduler)
    return foreign


def rungs_of(scheduler: Any) -> tuple[int, ...] | None:
    """The epochs after which a scheduler may stop trials; None where it does not give them."""
    rungs = getattr(scheduler, "rungs", None)
    return None if rungs is None else tuple(rungs)


def spared_by(scheduler: Any) -> Spared:
    """What a scheduler will surely not train; nothing where it does not say."""
    spared = getattr(scheduler, "spared", Spared)
    return Spared(*spared())


_NEEDED = {Decision.STOP: "stops", Decision.PAUSE: "pauses"}


class _Foreign:
    """A foreign scheduler, checked: it returns a decision, and only one that it declared."""

    def __init__(self, name: str, scheduler: Any, traits: frozenset[str]) -> None:
        self._name, self._scheduler, self._traits = name, scheduler, traits
        self.ended, self.resumed = scheduler.ended, scheduler.resumed
        self.rungs: tuple[int, ...] | None = None

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> Decision:
        """The decision about a trial.

        Raises:
            PluginError: the answer is not a decision, or its traits do not allow it.
        """
        answer = self._scheduler.report(trial, epoch, metrics)
        try:
            decision = Decision(answer)
        except ValueError as error:
            raise PluginError(
                f"{self._name}: answered {answer!r} in report; return a Decision: "
                f"{', '.join(Decision)}"
            ) from error
        trait = _NEEDED.get(decision)
        if trait is not None and trait not in self._traits:
            raise PluginError(
                f"{self._name}: answered {decision} without the trait {trait!r}; add it: "
                f"traits = {{{trait!r}}}"
            )
        return decision

    def resume(self) -> int | None:
        """A paused trial that should resume now."""
        trial = self._scheduler.resume()
        if trial is not None and (isinstance(trial, bool) or not isinstance(trial, int)):
            raise PluginError(
                f"{self._name}: answered {trial!r} in resume; return a trial or None"
            )
        return trial
