"""The sampler protocol: which candidate to try next, always one inside the budget.

Every sampler chooses among the candidates of a `Survey`, so nothing else can be proposed. Its
state is a function of what was tried and of (study seed, trial), so that it can be rebuilt from
the journal and continue as if it had never stopped.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Protocol, cast

import numpy as np

from res2net.plugins import PluginError
from search.schema.metrics import Objective
from search.schema.parts import Choice, Guarded, made, require_methods
from search.schema.prior import Prior
from search.schema.samplers import SAMPLERS
from search.space.survey import Survey


class Outcome(NamedTuple):
    """How the first trial of a candidate ended.

    `values` has one value for each objective, in their order: of a complete trial, or of a
    pruned one after its last of `epochs`; empty where there are none.
    """

    state: Literal["complete", "pruned", "failed"]
    values: tuple[float, ...] = ()
    epochs: int = 0


def standing(outcome: Outcome, objective: Objective) -> tuple[float, ...]:
    """Sort key of outcomes, lower is better: complete ones, then those that got further.

    Args:
        outcome: complete or pruned, with values.
        objective: the first objective.
    """
    loss = objective.loss(outcome.values[0])
    return (0, 0, loss) if outcome.state == "complete" else (1, -outcome.epochs, loss)


class Sampler(Protocol):
    """Chooses candidates; a candidate that was taken is never proposed."""

    def propose(self, trial: int) -> int:
        """The candidate of search trial number `trial`; the call does not take it.

        Raises:
            SpaceExhausted: every candidate is taken.
        """

    def take(self, candidate: int) -> None:
        """Note that a candidate is being tried (now, or before a stop)."""

    def tell(self, candidate: int, outcome: Outcome) -> None:
        """Note how the trial of a taken candidate ended; called again if it was retried."""


class SpaceExhausted(Exception):  # noqa: N818 - an end, not an error
    """Every candidate was tried."""


def make_sampler(
    choice: Choice,
    survey: Survey,
    *,
    seed: int,
    objectives: Sequence[Objective],
    prior: Prior | None = None,
) -> Sampler:
    """Make the sampler that a study chose.

    Args:
        choice: its name and options.
        survey: the candidates inside the budget.
        seed: seed of the study.
        objectives: what is minimised or maximised.
        prior: where good networks are expected, for a sampler that takes a prior.

    Raises:
        PluginError: a foreign one cannot be made from these, or lacks a method.
    """
    maker, facts = SAMPLERS.make(choice.name), SAMPLERS[choice.name]
    given = {"seed": seed, "objectives": tuple(objectives), **choice.options}
    if prior is not None:
        given["prior"] = prior
    if facts.of_optuna:
        return _of_optuna(choice.name, maker, survey, given)
    sampler = made(
        choice.name,
        lambda: maker(survey, **given),
        "(survey, *, seed, objectives) and its own options",
    )
    require_methods(choice.name, sampler, "propose", "take", "tell")
    if choice.name in SAMPLERS.ours:
        return cast("Sampler", sampler)
    return _Foreign(choice.name, Guarded(choice.name, sampler, (SpaceExhausted,)), len(survey))


def _of_optuna(name: str, maker: Any, survey: Survey, given: dict[str, Any]) -> Sampler:
    """Adapt a foreign Optuna sampler to the sampler protocol."""
    from search.samplers.optunas import adopted  # noqa: PLC0415 - imports Optuna

    sampler = made(name, lambda: adopted(maker, survey, **given), "its own options, and a seed")
    return cast("Sampler", Guarded(name, sampler, (SpaceExhausted,)))


class _Foreign:
    """A foreign sampler, checked against the protocol: candidates by number, none twice."""

    def __init__(self, name: str, sampler: Any, candidates: int) -> None:
        self._name, self._sampler, self._candidates = name, sampler, candidates
        self._taken: set[int] = set()

    def propose(self, trial: int) -> int:
        """The candidate that it proposes.

        Raises:
            PluginError: its proposal is not a candidate, was taken before, or is missing.
        """
        try:
            candidate = self._sampler.propose(trial)
        except SpaceExhausted as error:
            raise PluginError(
                f"{self._name}: has nothing more to propose after {len(self._taken):,} of "
                f"{self._candidates:,} candidates; set search.trials to that number"
            ) from error
        whole = isinstance(candidate, (int, np.integer)) and not isinstance(candidate, bool)
        if not whole or not 0 <= candidate < self._candidates:
            raise PluginError(
                f"{self._name}: proposed {candidate!r}; return the number of a candidate, from "
                f"0 to {self._candidates - 1:,}"
            )
        if candidate in self._taken:
            raise PluginError(
                f"{self._name}: proposed candidate {candidate} again; note in `take` what was "
                "taken, and propose something else"
            )
        return int(candidate)

    def take(self, candidate: int) -> None:
        """Note that a candidate is being tried; further tries are not passed on."""
        if candidate not in self._taken:
            self._taken.add(candidate)
            self._sampler.take(candidate)

    def tell(self, candidate: int, outcome: Outcome) -> None:
        """Note how its trial ended."""
        self._sampler.tell(candidate, outcome)
