"""The networks of a search by what ranks them, kept up as their trials end.

What is asked after every trial (which is the best?) must not look at all trials there were.
"""

import heapq
from typing import NamedTuple

from search.schema.metrics import Objective
from search.study.events import Ended, Started

_Key = tuple[bool, float, int]  # has failed trials, what ranks, first trial: best first


class Ranked(NamedTuple):
    """A network of the search: the mean of what ranks, its first start, and whole trials.

    Of a network whose settings are tuned, of the best try and the other seeds alone.
    """

    value: float
    started: Started
    ends: tuple[Ended, ...]


class Ranking:
    """Networks with whole trials, by the mean of these.

    Those with a trial that failed come after all others: their mean is of survivors.

    Args:
        objective: the metric by which networks are compared.
        tuned: whether networks have several tries, of which the best counts.
    """

    def __init__(self, objective: Objective, *, tuned: bool = False) -> None:
        self._loss, self._tuned = objective.loss, tuned
        self._ranked: dict[str, Ranked] = {}
        self._values: dict[str, tuple[float, ...]] = {}
        self._failed: dict[str, set[int]] = {}  # trials
        # Every key that a network ever had: those that are not true any more are passed over.
        self._heap: list[tuple[_Key, str]] = []

    def whole(self, value: float, started: Started, ended: Ended) -> None:
        """Take a trial that was trained whole, and what ranks it."""
        name = started.name
        before, values = self._ranked.get(name), self._values.get(name, ())
        if self._tuned and started.is_try and before is not None:
            tried = before.started.is_try  # else other seeds alone were trained whole so far
            if tried and self._place(value, started) > self._place(values[0], before.started):
                return
            first, ends = started, (ended, *before.ends[tried:])
            values = (value, *values[tried:])
        else:
            values = (*values, value)
            ends = (*before.ends, ended) if before else (ended,)
            first = min(before.started, started, key=_number) if before else started
        self._values[name] = values
        self._ranked[name] = Ranked(sum(values) / len(values), first, ends)
        self._note(name)

    def failed(self, started: Started) -> None:
        """Take a trial that failed; of a try it says that its settings were wrong."""
        if self._tuned and started.is_try:
            return
        self._failed.setdefault(started.name, set()).add(started.trial)
        self._note(started.name)

    def retried(self, started: Started) -> None:
        """Take that a trial which failed has not ended any more."""
        self._failed.get(started.name, set()).discard(started.trial)
        self._note(started.name)

    def best(self) -> Ranked | None:
        """The first of `ranked`; None where there is none."""
        while self._heap and self._heap[0][0] != self._key(self._heap[0][1]):
            heapq.heappop(self._heap)
        return self._ranked[self._heap[0][1]] if self._heap else None

    def ranked(self) -> list[Ranked]:
        """All of them, best first."""
        return [self._ranked[name] for name in sorted(self._ranked, key=self._key)]

    def _place(self, value: float, started: Started) -> tuple[float, int]:
        """Of a try among those of its network; of equals the first stands, as in `Tries`."""
        return self._loss(value), started.trial

    def _key(self, name: str) -> _Key:
        one = self._ranked[name]
        return bool(self._failed.get(name)), self._loss(one.value), one.started.trial

    def _note(self, name: str) -> None:
        if name in self._ranked:
            heapq.heappush(self._heap, (self._key(name), name))


def _number(started: Started) -> int:
    return started.trial
