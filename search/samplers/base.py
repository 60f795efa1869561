"""The sampler protocol: which candidate to try next, only ever one inside the budget.

Every sampler chooses among the candidates of a `Survey`, so nothing else can be proposed. Its
position is a function of what was tried and of (study seed, trial), so that it can be rebuilt
from the journal and continues as if it had never stopped.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, cast

from res2net.plugins import PluginError
from search.schema.metrics import Objective
from search.schema.parts import Choice, Guarded, require_methods
from search.schema.samplers import SAMPLERS
from search.space.survey import Survey


class Outcome(NamedTuple):
    """How the first trial of a candidate ended.

    `values` are one for each objective, in their order: of a complete trial, or of a pruned
    one after its last of `epochs`; empty where there are none.
    """

    state: Literal["complete", "pruned", "failed"]
    values: tuple[float, ...] = ()
    epochs: int = 0


class Sampler(Protocol):
    """Chooses candidates; one that was taken is never proposed."""

    def propose(self, trial: int) -> int:
        """The candidate of search trial number `trial`; it is not taken by this.

        Raises:
            SpaceExhausted: every candidate is taken.
        """

    def take(self, candidate: int) -> None:
        """Note that a candidate is being tried (now, or before a stop)."""

    def tell(self, candidate: int, outcome: Outcome) -> None:
        """Note how the trial of a taken candidate ended."""


class SpaceExhausted(Exception):  # noqa: N818 - an end, not an error
    """Every candidate was tried."""


def make_sampler(
    choice: Choice, survey: Survey, *, seed: int, objectives: Sequence[Objective]
) -> Sampler:
    """The sampler that a study chose.

    Args:
        choice: its name and options.
        survey: the candidates inside the budget.
        seed: of the study.
        objectives: what is minimised or maximised.

    Raises:
        PluginError: a foreign one cannot be made so, or lacks a method.
    """
    maker = SAMPLERS.make(choice.name)
    try:
        sampler = maker(survey, seed=seed, objectives=tuple(objectives), **choice.options)
    except TypeError as error:
        if choice.name in SAMPLERS.ours:
            raise
        raise PluginError(
            f"{choice.name}: cannot be made ({error}); it is given (survey, *, seed, "
            "objectives) and its own options"
        ) from error
    require_methods(choice.name, sampler, "propose", "take", "tell")
    if choice.name not in SAMPLERS.ours:
        sampler = Guarded(choice.name, sampler, (SpaceExhausted,))
    return cast("Sampler", sampler)
