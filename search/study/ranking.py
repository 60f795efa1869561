"""The networks of a search in ranked order, updated as their trials end.

The best network is asked for after every trial, so finding it must not visit all trials.
"""

import heapq
import math
from typing import NamedTuple

from search.schema.metrics import Objective
from search.study.events import Ended, Started

_Key = tuple[bool, float, int]  # has failed trials, loss, first trial: the lowest is best
_NOT_RANKED: _Key = (True, math.inf, -1)


class Ranked(NamedTuple):
    """A network of the search: mean of the ranking metric, first start, complete trials.

    For a network with tuned settings, only the best try and the other seeds count.
    """

    value: float
    started: Started
    ends: tuple[Ended, ...]


class _Member(NamedTuple):
    """A completely trained trial of a network."""

    value: float
    started: Started
    ended: Ended


class Ranking:
    """Networks with completely trained trials, by the mean of these.

    Those with a failed trial come last: their mean covers only the surviving trials.

    Args:
        objective: the metric by which networks are compared.
        tuned: whether networks have several tries, of which the best counts.
    """

    def __init__(self, objective: Objective, *, tuned: bool = False) -> None:
        self._loss, self._tuned = objective.loss, tuned
        self._members: dict[str, list[_Member]] = {}  # in the order they ended, a try first
        self._ranked: dict[str, Ranked] = {}
        self._failed: dict[str, set[int]] = {}  # failed trials of each network
        # Every key that a network ever had; outdated ones are skipped.
        self._heap: list[tuple[_Key, str]] = []

    def whole(self, value: float, started: Started, ended: Ended) -> None:
        """Take a completely trained trial and its ranking metric."""
        member = _Member(value, started, ended)
        members = self._members.setdefault(started.name, [])
        if not (self._tuned and started.is_try):
            members.append(member)
        elif (before := self._try(started.name)) is None:
            members.insert(0, member)
        elif self._place(member) < self._place(before):
            members[0] = member
        self._rank(started.name)

    def settled(self, started: Started) -> None:
        """Note that a network stands by this try: another that has ended counts no more."""
        before = self._try(started.name) if self._tuned else None
        if before is not None and before.started.trial != started.trial:
            del self._members[started.name][0]
            self._rank(started.name)

    def failed(self, started: Started) -> None:
        """Take a failed trial; of several tries, only the one that represents the network."""
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

    def _try(self, name: str) -> _Member | None:
        """The best of a network's tries so far; None where none is complete."""
        members = self._members.get(name)
        return members[0] if members and members[0].started.is_try else None

    def _place(self, one: _Member) -> tuple[float, int]:
        """Sort key of a try within its network; of equals the first wins, as in `Tries`."""
        return self._loss(one.value), one.started.trial

    def _rank(self, name: str) -> None:
        members = self._members[name]
        self._ranked.pop(name, None)
        if members:
            best = self._try(name) if self._tuned else None
            first = best or min(members, key=lambda one: one.started.trial)
            mean = sum(one.value for one in members) / len(members)
            ends = tuple(one.ended for one in members)
            self._ranked[name] = Ranked(mean, first.started, ends)
        self._note(name)

    def _key(self, name: str) -> _Key:
        one = self._ranked.get(name)
        if one is None:
            return _NOT_RANKED
        return bool(self._failed.get(name)), self._loss(one.value), one.started.trial

    def _note(self, name: str) -> None:
        if name in self._ranked:
            heapq.heappush(self._heap, (self._key(name), name))
