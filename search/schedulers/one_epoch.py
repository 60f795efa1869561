"""Judges networks by their first epoch: the baseline of Egele et al. (2023, arXiv:2307.15422).

They found that to train every network for one epoch, and only the best few to the end, is hard
to beat. Unlike in asynchronous halving nobody goes on before all have been seen.
"""

from collections.abc import Mapping, Sequence

from search.schedulers.base import Decision
from search.schedulers.ranks import Ranks, row_of
from search.schema.metrics import Objective

_SHARE = 10  # one network in so many goes on, where nothing is said


class OneEpoch:
    """Pauses every trial once; when all have been seen, the best few go on to the end.

    Args:
        epochs: length of a whole trial.
        trials: first trials of networks, all tries of them. Where a study is extended,
            those that went on before count among those that do.
        objectives: by which trials are compared.
        keep: networks that go on; None for a tenth of `trials`, at least one.
        after: epochs after which each trial rests.

    Attributes:
        rungs: the epoch after which trials rest.
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
        self._order: list[int] = []  # trials as they came
        self._seen: set[int] = set()  # that came, or ended before
        self._resting: set[int] = set()
        self._whole: set[int] = set()
        self._gone_on: set[int] = set()

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> Decision:
        """Note how good a trial is where it rests."""
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
        """Nobody waits for it, and if it failed on the way its place is free."""
        self._seen.add(trial)
        if trial not in self._whole:
            self._gone_on.discard(trial)
        self._resting.discard(trial)

    def resume(self) -> int | None:
        """The best that rests, once all have been seen and while fewer than `keep` went on."""
        if len(self._seen) < self._trials or len(self._gone_on) >= self._keep:
            return None
        places = self._ranks.best_first()
        return next((t for i in places if (t := self._order[i]) in self._resting), None)

    def resumed(self, trial: int) -> None:
        """One more of those that go on; who went on before all were seen was not chosen."""
        self._resting.discard(trial)
        if len(self._seen) >= self._trials:
            self._gone_on.add(trial)
