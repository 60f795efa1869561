"""Finds which networks are still to be confirmed with fresh seeds."""

import itertools

from res2net import Architecture
from search.schema.study_plan import StudyPlan
from search.study.history import History


class Confirmation:
    """Which of the best networks still have to be trained again.

    Args:
        plan: of the study.
        history: what has happened.
    """

    def __init__(self, plan: StudyPlan, history: History) -> None:
        self._plan, self._history = plan, history
        self._best: tuple[Architecture, ...] = ()
        self._searched = -1  # `History.searched` when these were the best

    def left(self) -> list[tuple[Architecture, int]]:
        """The best networks of the search with the repeats not started, seed by seed."""
        confirm = self._plan.confirm
        if confirm is None:
            return []
        if self._searched != self._history.searched:  # to rank looks at every network
            ranked = self._history.ranked()[: confirm.top]
            self._best = tuple(one.started.network() for one in ranked)
            self._searched = self._history.searched
        every = itertools.product(range(confirm.seeds), self._best)  # whole seeds first
        done = self._history.confirmed
        return [
            (one, repeat)
            for repeat, one in every
            if (one.name, repeat, confirm.epochs) not in done
        ]
