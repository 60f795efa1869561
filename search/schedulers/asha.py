"""Asynchronous successive halving (Li et al., 2018), the stopping kind.

The rule is that of Ray Tune's AsyncHyperBandScheduler with one bracket. It is written here
because it must be rebuilt from the journal after a stop (Ray loses its rungs) and must work
where Ray does not run (`--inline`).
"""

import numpy as np

from search.schema.config import Config


class Rungs:
    """Stops a trial at a rung if it is not among the best 1/`reduction` of those before it.

    Args:
        grace: epochs of the first rung.
        reduction: factor from rung to rung, and the share that goes on is its inverse.
        epochs: length of a whole trial; no rung stands there.
    """

    def __init__(self, *, grace: int, reduction: int, epochs: int) -> None:
        self._reduction = reduction
        self._scores: dict[int, list[float]] = {}  # the higher, the better
        rung = grace
        while rung < epochs:
            self._scores[rung] = []
            rung *= reduction

    def report(self, epoch: int, error: float) -> bool:
        """Note the validation error of a trial after `epoch` epochs; True stops the trial."""
        if epoch not in self._scores:
            return False
        before = self._scores[epoch]
        # In Ray's arithmetic: as a quantile of errors it rounds otherwise, and a tie may too.
        share = (1 - 1 / self._reduction) * 100
        stop = bool(before) and -error < float(np.percentile(before, share))
        before.append(-error)
        return stop


def rungs_of(config: Config) -> Rungs | None:
    """Those of a study; None where nothing is stopped early."""
    if config.scheduler.name == "fifo":
        return None
    return Rungs(
        grace=config.scheduler.grace,
        reduction=config.scheduler.reduction,
        epochs=config.training.epochs,
    )
