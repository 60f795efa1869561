"""Hands out repeats: the same network with another seed."""

from collections import deque

from search.schema.schedulers import scheduler_traits
from search.schema.study_plan import StudyPlan
from search.space.configuration import Configuration
from search.study.events import CUT_SHORT
from search.study.history import History


class Repeats:
    """Hands out the networks of the search again, seed by seed.

    A network that was stopped early or rejected gets no other seeds. One with unfinished tries
    waits until the try that represents it is known, while the networks after it continue.

    Args:
        plan: plan of the study.
        history: gives the networks that were tried, and how often.
    """

    def __init__(self, plan: StudyPlan, history: History) -> None:
        self._history, self._seeds = history, plan.search.seeds
        self._networks, self._tries = plan.search.trials, plan.tries
        # A try may be stopped early or rejected, or be one of several.
        self._waits = bool(scheduler_traits(plan.scheduler)) or plan.rejects or plan.tries > 1
        self._left: deque[tuple[str, int]] | None = None  # set once every network was started

    def first(self) -> Configuration | None:
        """A network that must be tried again first; None where there is none.

        It has other seeds in the journal but no first trial, as the lines of that trial were
        damaged and deleted. Trying a new network instead would leave these seeds unused.
        """
        history = self._history
        new = len(history.networks) < self._networks
        for name, seeds in history.orphans.items():
            tried = len(history.tries.get(name, ()))
            if new if tried == 0 else tried < self._tries:
                return seeds[0].configuration
        return None

    def next(self) -> tuple[Configuration, int] | None:
        """What to train, and its repeat, counted from 1; None if none can start now."""
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
