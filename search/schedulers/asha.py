"""Asynchronous successive halving (Li et al., 2018), the stopping variant.

With one objective the rule is that of Ray Tune's AsyncHyperBandScheduler with one bracket. It
is implemented here because it must be rebuilt from the journal after a stop (Ray loses its
rungs) and must work where Ray does not run (`--inline`).
"""

from array import array
from collections.abc import Mapping, Sequence

import numpy as np

from search.schedulers.base import Decision, Scheduler
from search.schedulers.promotion import Promotion
from search.schedulers.ranks import Ranks, Row, row_of
from search.schedulers.rungs import rungs_of
from search.schema.metrics import Objective


class Asha:
    """Stops a trial at a rung if it is not among the best 1/`reduction` of those before it.

    Args:
        epochs: length of a complete trial; no rung is at the last epoch.
        objectives: objectives by which trials are compared.
        grace: epochs of the first rung.
        reduction: factor from rung to rung; its inverse is the share that continues.

    Attributes:
        rungs: epochs after which trials may be stopped.
    """

    def __init__(
        self,
        *,
        epochs: int,
        objectives: Sequence[Objective],
        grace: int = 1,
        reduction: int = 3,
    ) -> None:
        self._objectives = objectives
        self.rungs = rungs_of(grace, reduction, epochs)
        self._rungs = {rung: _make_rung(reduction, len(objectives)) for rung in self.rungs}

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> Decision:  # noqa: ARG002 - required by the protocol
        """Note a trial's score at a rung; stop it if it is not good enough."""
        if epoch not in self._rungs:
            return Decision.CONTINUE
        stop = self._rungs[epoch].stops(row_of(self._objectives, metrics))
        return Decision.STOP if stop else Decision.CONTINUE

    def ended(self, trial: int) -> None:
        """Do nothing: a rung keeps the scores of all trials that reached it."""

    def resume(self) -> int | None:
        """None, as trials are stopped, never paused."""
        return None

    def resumed(self, trial: int) -> None:
        """Do nothing: no trial is ever resumed."""


class _Rung:
    """The values of one objective, for all trials that reached a rung."""

    def __init__(self, reduction: int) -> None:
        self._reduction = reduction
        self._scores = array("d")  # higher is better

    def stops(self, row: Row) -> bool:
        """Take a row; return whether it is not among the best of earlier ones."""
        before, score = self._scores, -row[0]
        # As in Ray's arithmetic: a quantile of errors rounds differently, which can change
        # ties.
        share = (1 - 1 / self._reduction) * 100
        stop = bool(before) and score < float(np.percentile(np.frombuffer(before), share))
        before.append(score)
        return stop


class _RankedRung:
    """The ranks of all trials that reached a rung, for several objectives."""

    def __init__(self, reduction: int, objectives: int) -> None:
        self._reduction, self._ranks = reduction, Ranks(objectives)

    def stops(self, row: Row) -> bool:
        """Take a row; return whether it is not among the best of earlier ones."""
        before, better = len(self._ranks), self._ranks.better(row)
        self._ranks.add(row)
        # The position of the same quantile among earlier rows, where 0 is the best.
        return before > 0 and better > (before - 1) / self._reduction


def _make_rung(reduction: int, objectives: int) -> _Rung | _RankedRung:
    return _Rung(reduction) if objectives == 1 else _RankedRung(reduction, objectives)


def make_asha(
    *,
    epochs: int,
    trials: int,
    objectives: Sequence[Objective],
    grace: int = 1,
    reduction: int = 3,
    promotion: bool = False,
) -> Scheduler:
    """Make the variant that stops trials, or the one that pauses all and promotes the best."""
    if promotion:
        return Promotion(
            epochs=epochs,
            trials=trials,
            objectives=objectives,
            grace=grace,
            reduction=reduction,
        )
    return Asha(epochs=epochs, objectives=objectives, grace=grace, reduction=reduction)
