"""Asynchronous successive halving (Li et al., 2020, arXiv:1810.05934), the promoting kind.

Every trial rests when it reaches a rung, and goes on only once it is among the best of those
that reached that rung too. So nobody goes on for having come first, as in the stopping kind,
but checkpoints of all that rest are kept.
"""

from collections.abc import Mapping, Sequence

from search.schedulers.base import Decision
from search.schedulers.ranks import Ranks, row_of
from search.schedulers.rungs import rungs_of
from search.schema.metrics import Objective


class Promotion:
    """Pauses a trial at each rung; resumes those among its best 1/`reduction`, highest first.

    Args:
        epochs: length of a whole trial; no rung stands there.
        trials: first trials of networks, all tries of them. When all have been seen and
            none of them was good enough to come to its end, the best goes on: a search ends
            with something.
        objectives: by which trials are compared.
        grace: epochs of the first rung.
        reduction: factor from rung to rung, and the share that goes on is its inverse.

    Attributes:
        rungs: epochs after which trials rest.
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
        self._best: dict[int, list[int]] = {}  # that may go on from a rung, once asked
        self._resting: dict[int, int] = {}  # rungs by trial
        self._running: set[int] = set()  # that have reported
        self._seen: set[int] = set()  # that have reported, or ended before
        self._whole = False  # whether one has come to its end

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> Decision:
        """Note how good a trial is at a rung, where it rests."""
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
        """It cannot go on any more; its rungs keep what it reached."""
        self._resting.pop(trial, None)
        self._running.discard(trial)
        self._seen.add(trial)

    def resume(self) -> int | None:
        """The best trial that rests at the highest rung where one is good enough."""
        for rung in reversed(self.rungs):
            for trial in self._promotable(rung):
                if self._resting.get(trial) == rung:
                    return trial
        over = len(self._seen) >= self._expected and not self._running
        return self._best_resting() if over and not self._whole else None

    def resumed(self, trial: int) -> None:
        """It rests no more."""
        self._resting.pop(trial, None)
        self._running.add(trial)

    def _best_resting(self) -> int | None:
        for rung in reversed(self.rungs):
            for place in self._ranks[rung].best_first():
                if self._resting.get(trial := self._trials[rung][place]) == rung:
                    return trial
        return None

    def _promotable(self, rung: int) -> list[int]:
        """The best 1/`reduction` of all that reached a rung, whatever became of them since."""
        if rung not in self._best:  # to put them in order looks at all of them
            trials = self._trials[rung]
            best = self._ranks[rung].best_first()[: len(trials) // self._reduction]
            self._best[rung] = [trials[i] for i in best]
        return self._best[rung]
