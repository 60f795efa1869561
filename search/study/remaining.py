"""Counts what is left of a study, in trials and epochs."""

from search.schema.study_plan import StudyPlan
from search.space.configuration import Configuration
from search.study.confirmation import Confirmation
from search.study.history import History


class Remaining:
    """What has not ended, running trials included.

    Args:
        plan: of the study.
        history: what has happened.
    """

    def __init__(self, plan: StudyPlan, history: History) -> None:
        self._plan, self._history = plan, history
        self._confirmation = Confirmation(plan, history)

    def search(self) -> int:
        """Trials of the search."""
        history = self._history
        trials = self._plan.search_trials(history.pruned_networks) + history.pruned_repeats
        return trials - history.ended("search")

    def confirm(self) -> int:
        """Trials of the confirmation: the most that it can be, until the search has ended."""
        running = self._history.started("confirm") - self._history.ended("confirm")
        if self.search():
            return running + self._plan.confirm_trials
        return running + len(self._confirmation.left())

    def to_confirm(self) -> tuple[Configuration, int] | None:
        """The next network to confirm, and its repeat; None while the search goes on."""
        left = () if self.search() else self._confirmation.left()
        return left[0] if left else None

    def trials(self) -> int:
        """Trials of both."""
        return self.search() + self.confirm()

    def epochs(self) -> int:
        """Epochs of the trials that have not ended, if none is stopped early."""
        epochs = self.search() * self._plan.epochs("search")
        epochs += self.confirm() * self._plan.epochs("confirm")
        return max(0, epochs - self._history.live_epochs)
