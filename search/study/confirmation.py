"""Which networks are still to be confirmed with fresh seeds, and what is then compared."""

import itertools
from collections import Counter, deque
from collections.abc import Iterable, Sequence

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


def compared_epochs(
    whole: Iterable[tuple[str, int]], ended: Iterable[tuple[str, int]], *, seeds: int | None
) -> int:
    """The length of the confirmations that are compared; 0 if none was completed.

    A study may have been confirmed first with some number of epochs and then again with more,
    and longer training does not make a better network. Among several lengths, the longest one
    that has every seed of all confirmed networks is taken; if there is none, the one with the
    most networks, then the most trials.

    Args:
        whole: network and epochs of each completely trained confirmation.
        ended: the same of each that has ended in any way: a failed seed counts as run.
        seeds: seeds that each confirmed network has; None where the plan no longer says it.
    """
    trials = Counter(whole)
    lengths = {epochs for _, epochs in trials}
    if len(lengths) < 2:
        return max(lengths, default=0)
    names = {name for name, _ in trials}
    counts = Counter(one for one in ended if one[0] in names)
    wanted = seeds or max(counts.values())
    complete = [each for each in lengths if all(counts[name, each] >= wanted for name in names)]
    if complete:
        return max(complete)

    def size(length: int) -> tuple[int, int, int]:
        own = [count for (_, epochs), count in trials.items() if epochs == length]
        return len(own), sum(own), length

    return max(lengths, key=size)
