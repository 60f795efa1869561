"""The sampler protocol: which candidate to try next, only ever one inside the budget.

Every sampler chooses among the candidates of a `Survey`, so nothing else can be proposed.
Its position is a function of what was tried and of (study seed, trial), so that it can be
rebuilt from the journal and continues as if it had never stopped.
"""

from typing import Protocol

from search.study.events import Ended


class Sampler(Protocol):
    """Chooses candidates; one that was taken is never proposed."""

    def propose(self, trial: int) -> int:
        """The candidate of search trial number `trial`; it is not taken by this.

        Raises:
            SpaceExhausted: every candidate is taken.
        """

    def take(self, candidate: int) -> None:
        """Note that a candidate is being tried (now, or before a stop)."""

    def tell(self, candidate: int, ended: Ended) -> None:
        """Note how the trial of a taken candidate ended."""


class SpaceExhausted(Exception):  # noqa: N818 - an end, not an error
    """Every candidate was tried."""
