"""Asynchronous successive halving (Li et al., 2018), the stopping kind.

The rule is that of Ray Tune's AsyncHyperBandScheduler with one bracket. It is written here
because it must be rebuilt from the journal after a stop (Ray loses its rungs) and must work
where Ray does not run (`--inline`).
"""

from array import array
from collections.abc import Mapping

import numpy as np

from search.schedulers.base import Decision
from search.schema.metrics import Objective


class Asha:
    """Stops a trial at a rung if it is not among the best 1/`reduction` of those before it.

    Args:
        epochs: length of a whole trial; no rung stands there.
        objective: the metric that is compared.
        grace: epochs of the first rung.
        reduction: factor from rung to rung, and the share that goes on is its inverse.
    """

    def __init__(
        self, *, epochs: int, objective: Objective, grace: int = 1, reduction: int = 3
    ) -> None:
        self._reduction, self._objective = reduction, objective
        self._scores: dict[int, array[float]] = {}  # the higher, the better
        rung = grace
        while rung < epochs:
            self._scores[rung] = array("d")
            rung *= reduction

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> Decision:  # noqa: ARG002 - the protocol's
        """Note the metric of a trial at a rung; stop the trial where it is not good enough."""
        if epoch not in self._scores:
            return Decision.CONTINUE
        before = self._scores[epoch]
        score = -self._objective.loss(metrics[self._objective.name])
        # In Ray's arithmetic: as a quantile of errors it rounds otherwise, and a tie may too.
        share = (1 - 1 / self._reduction) * 100
        stop = bool(before) and score < float(np.percentile(np.frombuffer(before), share))
        before.append(score)
        return Decision.STOP if stop else Decision.CONTINUE

    def ended(self, trial: int) -> None:
        """Ends change nothing: a rung keeps the scores of all that reached it."""

    def resume(self) -> int | None:
        """None: trials are stopped, never paused."""
        return None

    def resumed(self, trial: int) -> None:
        """No trial is ever resumed."""
