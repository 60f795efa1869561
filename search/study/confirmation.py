"""Finds which networks are still to be confirmed with fresh seeds."""

import itertools
from collections import deque
from collections.abc import Sequence

from search.schema.study_plan import StudyPlan
from search.space.configuration import Configuration
from search.study.history import History


class Confirmation:
    """Lists the best networks that still have to be trained again.

    Args:
        plan: plan of the study.
        history: history of the study.
    """

    def __init__(self, plan: StudyPlan, history: History) -> None:
        self._plan, self._history = plan, history
        self._left: deque[tuple[Configuration, int]] = deque()
        self._searched = -1  # value of `History.searched` when the best were last ranked

    def left(self) -> Sequence[tuple[Configuration, int]]:
        """The best networks of the search with their unstarted repeats, seed by seed."""
        confirm, history = self._plan.confirm, self._history
        if confirm is None:
            return ()
        if self._searched != history.searched:  # ranking visits every network
            best = [one.started.configuration for one in history.ranked()[: confirm.top]]
            every = itertools.product(range(confirm.seeds), best)  # seed by seed
            self._left = deque(
                (one, repeat) for repeat, one in every if self._is_left(one, repeat)
            )
            self._searched = history.searched
        while self._left and not self._is_left(*self._left[0]):  # they start in this order
            self._left.popleft()
        return self._left

    def _is_left(self, network: Configuration, repeat: int) -> bool:
        epochs = self._plan.epochs("confirm")
        return (network.name, repeat, epochs) not in self._history.confirmed
