"""Counts what is left of a study, in trials and epochs."""

from collections.abc import Callable

from search.schedulers.base import Spared
from search.schema.schedulers import scheduler_traits
from search.schema.study_plan import StudyPlan
from search.space.configuration import Configuration
from search.study.confirmation import Confirmation
from search.study.history import History


class Remaining:
    """Counts the trials that have not ended, including running ones.

    Args:
        plan: plan of the study.
        history: history of the study.
        spared: gives what the scheduler will surely not train.

    Attributes:
        taken_over: epochs of trials that will surely be taken over from other runs.
        may_take_over: whether others may be.
    """

    taken_over, may_take_over = 0, False

    def __init__(
        self, plan: StudyPlan, history: History, spared: Callable[[], Spared] = Spared
    ) -> None:
        self._plan, self._history, self._spared = plan, history, spared
        self._early = bool(scheduler_traits(plan.scheduler)) or plan.rejects
        self._early |= "epochs" in plan.varied  # some trials are shorter
        self._confirmation = Confirmation(plan, history)

    def search(self) -> int:
        """Trials left in the search; never fewer than are running."""
        plan, history = self._plan, self._history
        trials = plan.search_trials(history.pruned_networks) + history.pruned_repeats
        # A run may hold more networks than its plan asks for: each of them gets all seeds.
        beyond = max(0, len(history.networks) - plan.search.trials)
        trials += beyond * (plan.tries + plan.search.seeds - 1)
        ended = history.ended("search") - self._ended_orphans()
        return max(trials - ended, history.started("search") - history.ended("search"))

    def confirm(self) -> int:
        """Trials left in the confirmation: an upper bound until the search has ended."""
        running = self._history.started("confirm") - self._history.ended("confirm")
        if self.search():
            return running + self._plan.confirm_trials
        return running + len(self._confirmation.left())

    def to_confirm(self) -> tuple[Configuration, int] | None:
        """The next network to confirm, and its repeat; None until the search has ended."""
        left = () if self.search() else self._confirmation.left()
        return left[0] if left else None

    def _ended_orphans(self) -> int:
        """Ended repeats of networks that will not be tried: others took their places."""
        history = self._history
        if not history.orphans:
            return 0
        missing = [n for n in history.orphans if n not in history.networks]
        places = max(0, self._plan.search.trials - len(history.networks))
        return sum(
            one.trial in history.ends
            for name in missing[places:]
            for one in history.orphans[name]
        )

    def trials(self) -> int:
        """Trials left in both phases."""
        return self.search() + self.confirm()

    def epochs(self) -> int:
        """Epochs left to train in all trials that have not ended, at most."""
        plan, spared = self._plan, self._spared()
        epochs = self.search() * plan.epochs("search") - spared.epochs
        if plan.tries == 1:  # their networks get no other seeds
            epochs -= spared.trials * (plan.search.seeds - 1) * plan.epochs("search")
        epochs += self.confirm() * plan.epochs("confirm")
        return max(0, epochs - self._history.live_epochs - self.taken_over)

    @property
    def at_most(self) -> bool:
        """Whether fewer epochs may be left than `epochs`: trials end early, or are known."""
        return self.may_take_over or (self._early and self.search() > 0)
