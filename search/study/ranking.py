"""The networks of a search in ranked order, updated as their trials end.

The best network is asked for after every trial, so finding it must not visit all trials.
"""

import heapq
from typing import NamedTuple

from search.schema.metrics import Objective
from search.study.events import Ended, Started

_Key = tuple[bool, float, int]  # has failed trials, loss, first trial: the lowest is best


class Ranked(NamedTuple):
    """A network of the search: mean of the ranking metric, first start, complete trials.

    For a network with tuned settings, only the best try and the other seeds count.
    """

    value: float
    started: Started
    ends: tuple[Ended, ...]


class Ranking:
    """Networks with completely trained trials, by the mean of these.

    Those with a failed trial come last: their mean covers only the surviving trials.

    Args:
        objective: the metric by which networks are compared.
        tuned: whether networks have several tries, of which the best counts.
    """

    def __init__(self, objective: Objective, *, tuned: bool = False) -> None:
        self._loss, self._tuned = objective.loss, tuned
        self._ranked: dict[str, Ranked] = {}
        self._values: dict[str, tuple[float, ...]] = {}
        self._failed: dict[str, set[int]] = {}  # failed trials of each network
        # Every key that a network ever had; outdated ones are skipped.
        self._heap: list[tuple[_Key, str]] = []

    def whole(self, value: float, started: Started, ended: Ended) -> None:
        """Take a completely trained trial and its ranking metric."""
        name = started.name
        before, values = self._ranked.get(name), self._values.get(name, ())
        if self._tuned and started.is_try and before is not None:
            tried = before.started.is_try  # else only other seeds were complete so far
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
        """Take a failed trial; a failed try only shows that its settings were bad."""
        if self._tuned and started.is_try:
            return
        self._failed.setdefault(started.name, set()).add(started.trial)
        self._note(started.name)

    def retried(self, started: Started) -> None:
        """Note that a failed trial is live again."""
        self._failed.get(started.name, set()).discard(started.trial)
        self._note(started.name)

    def best(self) -> Ranked | None:
        """The first of `ranked`; None where there is none."""
        while self._heap and self._heap[0][0] != self._key(self._heap[0][1]):
            heapq.heappop(self._heap)
        return self._ranked[self._heap[0][1]] if self._heap else None

    def ranked(self) -> list[Ranked]:
        """All networks, best first."""
        return [self._ranked[name] for name in sorted(self._ranked, key=self._key)]

    def _place(self, value: float, started: Started) -> tuple[float, int]:
        """Sort key of a try within its network; of equals the first wins, as in `Tries`."""
        return self._loss(value), started.trial

    def _key(self, name: str) -> _Key:
        one = self._ranked[name]
        return bool(self._failed.get(name)), self._loss(one.value), one.started.trial

    def _note(self, name: str) -> None:
        if name in self._ranked:
            heapq.heappush(self._heap, (self._key(name), name))


def _number(started: Started) -> int:
    return started.trial
