"""Hands out the repeats of networks: the same network with another seed."""

from collections import deque

from res2net import Architecture
from search.study.events import CUT_SHORT
from search.study.history import History


class Repeats:
    """Hands out the networks of the search again, seed by seed.

    A network that early stopping, or what was measured, ended has no other seed; one whose
    first trial is under way waits until it is known what becomes of it, while those after it go
    on.

    Args:
        history: says which networks were tried, and how often.
        seeds: of each network.
        waits: whether a first trial may be stopped early, or rejected.
    """

    def __init__(self, history: History, seeds: int, *, waits: bool) -> None:
        self._history, self._seeds, self._waits = history, seeds, waits
        self._left: deque[tuple[str, int]] | None = None  # once every network was started

    def next(self) -> tuple[Architecture, int] | None:
        """A network and its repeat, counted from 1; None where there is none now."""
        history = self._history
        if self._left is None:
            self._left = deque(
                (name, repeat)
                for repeat in range(1, self._seeds)
                for name in history.networks
                if (name, repeat) not in history.repeats
            )
        waiting = []
        found = None
        while self._left and found is None:
            name, repeat = self._left.popleft()
            ended = history.ends.get(history.first[name])
            if ended is None and self._waits:
                waiting.append((name, repeat))
            elif ended is None or ended.status not in CUT_SHORT:
                found = history.networks[name], repeat
        self._left.extendleft(reversed(waiting))
        return found
