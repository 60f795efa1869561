"""Judges networks by their first epoch: the baseline of Egele et al. (2023, arXiv:2307.15422).

They found it hard to beat training every network for one epoch, and only the best few to the
end. Unlike in asynchronous halving, no trial continues before all have been seen.
"""

from collections.abc import Mapping, Sequence

from search.schedulers.base import Decision, Spared
from search.schedulers.ranks import Ranks, row_of
from search.schema.metrics import Objective

_SHARE = 10  # by default, one network in so many continues


class OneEpoch:
    """Pauses every trial once; when all have been seen, the best few run to the end.

    Args:
        epochs: length of a complete trial.
        trials: number of first trials of networks, including all tries. If a study is
            extended, trials that resumed before do not count among those to keep.
        objectives: objectives by which trials are compared.
        keep: number of networks that continue; None for a tenth of `trials`, at least one.
        after: epochs after which each trial pauses.

    Attributes:
        rungs: the epoch after which trials pause.
    """

    def __init__(
        self,
        *,
        epochs: int,
        trials: int,
        objectives: Sequence[Objective],
        keep: int | None = None,
        after: int = 1,
    ) -> None:
        self._objectives, self._trials, self._epochs = objectives, trials, epochs
        self._keep = max(1, trials // _SHARE) if keep is None else keep
        self.rungs = (after,) if after < epochs else ()
        self._ranks = Ranks(len(objectives))
        self._order: list[int] = []  # trials in the order of their reports
        self._seen: set[int] = set()  # trials that paused, or ended before
        self._resting: set[int] = set()
        self._whole: set[int] = set()
        self._gone_on: set[int] = set()

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> Decision:
        """Note the score of a trial where it pauses."""
        if epoch == self._epochs:
            self._whole.add(trial)
        if epoch not in self.rungs:
            return Decision.CONTINUE
        self._ranks.add(row_of(self._objectives, metrics))
        self._order.append(trial)
        self._seen.add(trial)
        self._resting.add(trial)
        return Decision.PAUSE

    def ended(self, trial: int) -> None:
        """Note an end: the trial counts as seen, and an incomplete one frees its place."""
        self._seen.add(trial)
        if trial not in self._whole:
            self._gone_on.discard(trial)
        self._resting.discard(trial)

    def resume(self) -> int | None:
        """The best paused trial, once all have been seen and fewer than `keep` continued."""
        if len(self._seen) < self._trials or len(self._gone_on) >= self._keep:
            return None
        places = self._ranks.best_first()
        return next((t for i in places if (t := self._order[i]) in self._resting), None)

    def resumed(self, trial: int) -> None:
        """Count a trial among those that continue, unless it resumed before all were seen."""
        self._resting.discard(trial)
        if len(self._seen) >= self._trials:
            self._gone_on.add(trial)

    def spared(self) -> Spared:
        """The trials beyond the best few, which end where they pause."""
        waiting = len(self._resting) + max(0, self._trials - len(self._seen))
        ending = max(0, waiting - max(0, self._keep - len(self._gone_on)))
        return Spared(ending, sum(ending * (self._epochs - rung) for rung in self.rungs))
