"""Hands out the repeats of networks: the same network with another seed."""

from collections import deque

from search.schema.schedulers import scheduler_traits
from search.schema.study_plan import StudyPlan
from search.space.configuration import Configuration
from search.study.events import CUT_SHORT
from search.study.history import History


class Repeats:
    """Hands out the networks of the search again, seed by seed.

    A network that early stopping, or what was measured, ended has no other seed; one whose
    tries are under way waits until it is known which stands for it, while those after it go on.

    Args:
        plan: of the study.
        history: says which networks were tried, and how often.
    """

    def __init__(self, plan: StudyPlan, history: History) -> None:
        self._history, self._seeds = history, plan.search.seeds
        self._networks, self._tries = plan.search.trials, plan.tries
        # A try may be stopped early or rejected, or is one of several.
        self._waits = bool(scheduler_traits(plan.scheduler)) or plan.rejects or plan.tries > 1
        self._left: deque[tuple[str, int]] | None = None  # once every network was started

    def first(self) -> Configuration | None:
        """What is tried though it was tried before; None where there is nothing.

        A network whose other seeds are in the journal and its first trial is not, because its
        lines were damaged and deleted: to try another instead would leave these seeds alone.
        """
        history = self._history
        new = len(history.networks) < self._networks
        for name, seeds in history.orphans.items():
            tried = len(history.tries.get(name, ()))
            if new if tried == 0 else tried < self._tries:
                return seeds[0].configuration
        return None

    def next(self) -> tuple[Configuration, int] | None:
        """What to train, and its repeat, counted from 1; None where there is none now."""
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
            chosen = history.chosen(name)
            if chosen is None and self._waits:
                waiting.append((name, repeat))
            elif chosen is None:
                found = history.networks[name], repeat
            elif history.ends[chosen].status not in CUT_SHORT:
                found = history.trials[chosen].configuration, repeat
        self._left.extendleft(reversed(waiting))
        return found
