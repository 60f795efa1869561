"""Lets a sampler see results in the order of its proposals, whichever trial ends first.

With many workers, the results that exist when a proposal is made depend on which trial was the
fastest, so an adaptive search differs each time. Here proposal n sees exactly the results of
the trials up to n - concurrency: it waits for these, and later results are held back.
"""

import contextlib

from search.samplers.base import Outcome, Sampler


class NotYet(Exception):  # noqa: N818 - a wait, not an error
    """A result that the next proposal must see is missing."""


class InOrder:
    """A sampler that receives outcomes in the order of its proposals.

    Args:
        sampler: the one that proposes.
        concurrency: trials that may run at once.
    """

    def __init__(self, sampler: Sampler, concurrency: int) -> None:
        self._sampler, self._concurrency = sampler, concurrency
        self._taken: list[int] = []  # candidates in the order taken
        self._place: dict[int, int] = {}  # position in that order, by candidate
        self._outcomes: dict[int, Outcome] = {}
        self._told = 0  # number of these whose outcomes were passed on

    def propose(self, trial: int) -> int:
        """The next candidate.

        Raises:
            NotYet: a result that it must see is missing.
            SpaceExhausted: every candidate is taken.
        """
        self._tell_those_due()
        return self._sampler.propose(trial)

    def take(self, candidate: int) -> None:
        """Note that a candidate is being tried, or tried again."""
        if candidate in self._place:
            self._again(candidate)
            return
        with contextlib.suppress(NotYet):  # not proposed here, but put back by a repair
            self._tell_those_due()
        self._place[candidate] = len(self._taken)
        self._taken.append(candidate)
        self._sampler.take(candidate)

    def know(self, candidate: int, outcome: Outcome) -> None:
        """Note a trial of another run, known before the first proposal."""
        self._sampler.take(candidate)
        self._sampler.tell(candidate, outcome)

    def tell(self, candidate: int, outcome: Outcome) -> None:
        """Keep the outcome of a trial until it is its turn."""
        if self._place[candidate] < self._told:  # a late retry
            self._sampler.tell(candidate, outcome)
        else:
            self._outcomes[candidate] = outcome

    def _again(self, candidate: int) -> None:
        if self._place[candidate] < self._told:
            self._sampler.take(candidate)
        else:
            self._outcomes.pop(candidate, None)

    def _tell_those_due(self) -> None:
        due = len(self._taken) + 1 - self._concurrency
        while self._told < due:
            candidate = self._taken[self._told]
            if candidate not in self._outcomes:
                raise NotYet
            self._sampler.tell(candidate, self._outcomes.pop(candidate))
            self._told += 1
