"""Asynchronous successive halving (Li et al., 2020, arXiv:1810.05934), the promoting variant.

Every trial pauses when it reaches a rung, and resumes only once it is among the best of all
trials that reached that rung. So no trial continues merely because it came first, as in the
stopping variant, but the checkpoints of all paused trials are kept.
"""

from collections.abc import Mapping, Sequence

from search.schedulers.base import Decision
from search.schedulers.ranks import Ranks, row_of
from search.schedulers.rungs import rungs_of
from search.schema.metrics import Objective


class Promotion:
    """Pauses trials at each rung; resumes one of its best 1/`reduction`, highest rung first.

    Args:
        epochs: length of a complete trial; no rung is at the last epoch.
        trials: number of first trials of networks, including all tries. When all have been
            seen and none was good enough to finish, the best resumes, so that every search
            ends with a complete trial.
        objectives: objectives by which trials are compared.
        grace: epochs of the first rung.
        reduction: factor from rung to rung; its inverse is the share that continues.

    Attributes:
        rungs: epochs after which trials pause.
    """

    def __init__(
        self,
        *,
        epochs: int,
        trials: int,
        objectives: Sequence[Objective],
        grace: int = 1,
        reduction: int = 3,
    ) -> None:
        self._objectives, self._reduction = objectives, reduction
        self._epochs, self._expected = epochs, trials
        self.rungs = rungs_of(grace, reduction, epochs)
        self._ranks = {rung: Ranks(len(objectives)) for rung in self.rungs}
        self._trials: dict[int, list[int]] = {rung: [] for rung in self.rungs}  # as they came
        self._best: dict[int, list[int]] = {}  # may resume from a rung; computed on demand
        self._resting: dict[int, int] = {}  # rung of each paused trial
        self._running: set[int] = set()  # trials that have reported
        self._seen: set[int] = set()  # trials that have reported, or ended before
        self._whole = False  # whether a trial has finished

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> Decision:
        """Note the score of a trial at a rung, where it pauses."""
        self._seen.add(trial)
        self._whole |= epoch == self._epochs
        if epoch not in self._ranks:
            self._running.add(trial)
            return Decision.CONTINUE
        self._ranks[epoch].add(row_of(self._objectives, metrics))
        self._trials[epoch].append(trial)
        self._best.pop(epoch, None)
        self._resting[trial] = epoch
        self._running.discard(trial)
        return Decision.PAUSE

    def ended(self, trial: int) -> None:
        """Note that a trial cannot resume any more; its rungs keep its scores."""
        self._resting.pop(trial, None)
        self._running.discard(trial)
        self._seen.add(trial)

    def resume(self) -> int | None:
        """The best paused trial at the highest rung where one is good enough."""
        for rung in reversed(self.rungs):
            for trial in self._promotable(rung):
                if self._resting.get(trial) == rung:
                    return trial
        over = len(self._seen) >= self._expected and not self._running
        return self._best_resting() if over and not self._whole else None

    def resumed(self, trial: int) -> None:
        """Note that a trial is no longer paused."""
        self._resting.pop(trial, None)
        self._running.add(trial)

    def _best_resting(self) -> int | None:
        for rung in reversed(self.rungs):
            for place in self._ranks[rung].best_first():
                if self._resting.get(trial := self._trials[rung][place]) == rung:
                    return trial
        return None

    def _promotable(self, rung: int) -> list[int]:
        """The best 1/`reduction` of all that reached a rung, including ended ones."""
        if rung not in self._best:  # sorting visits all of them
            trials = self._trials[rung]
            best = self._ranks[rung].best_first()[: len(trials) // self._reduction]
            self._best[rung] = [trials[i] for i in best]
        return self._best[rung]
