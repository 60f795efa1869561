"""The median stopping rule (Golovin et al., 2017, Google Vizier, section 3.2.1)."""

import bisect
from collections.abc import Mapping, Sequence

from search.schedulers.base import Decision
from search.schedulers.ranks import Ranks, Row, row_of
from search.schema.metrics import Objective


class Median:
    """Stops a trial whose best so far is worse than the median of the others' averages.

    The average of another trial is over its values up to the same epoch, whatever happened to
    it since. With several objectives, bests and averages are taken of each, and a trial stops
    if more than half of the others' averages rank before its best.

    Args:
        epochs: length of a complete trial.
        trials: number of first trials of networks, including all tries; it has no effect.
        objectives: objectives by which trials are compared.
        grace: no trial is stopped before this epoch.
        at_least: other trials that must have reached an epoch before one is stopped there.

    Attributes:
        rungs: epochs after which trials may be stopped.
    """

    def __init__(
        self,
        *,
        epochs: int,
        trials: int,  # noqa: ARG002 - the protocol's
        objectives: Sequence[Objective],
        grace: int = 1,
        at_least: int = 3,
    ) -> None:
        self._objectives, self._at_least = objectives, at_least
        self.rungs = tuple(range(grace, epochs))
        self._best: dict[int, Row] = {}
        self._sums: dict[int, Row] = {}
        self._averages: dict[int, _Values | _RankedRows] = {}  # by epoch

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> Decision:
        """Compare a trial with all that reached this epoch before it."""
        row = row_of(self._objectives, metrics)
        best = tuple(map(min, row, self._best.get(trial, row)))
        sums = tuple(map(sum, zip(row, self._sums.get(trial, (0.0,) * len(row)), strict=True)))
        self._best[trial], self._sums[trial] = best, sums
        if epoch not in self._averages:
            self._averages[epoch] = _Values() if len(row) == 1 else _RankedRows(len(row))
        others = self._averages[epoch]
        enough = epoch in self.rungs and len(others) >= self._at_least
        stop = enough and others.put_behind(best)
        others.add(tuple(value / epoch for value in sums))
        return Decision.STOP if stop else Decision.CONTINUE

    def ended(self, trial: int) -> None:
        """Do nothing: the trial's values still count, and it may be retried."""

    def resume(self) -> int | None:
        """None, as trials are stopped, never paused."""
        return None

    def resumed(self, trial: int) -> None:
        """Do nothing: no trial is ever resumed."""


class _Values:
    """Sorted averages of one objective, as the median is needed at every epoch."""

    def __init__(self) -> None:
        self._sorted: list[float] = []

    def __len__(self) -> int:
        return len(self._sorted)

    def add(self, row: Row) -> None:
        """Add an average."""
        bisect.insort(self._sorted, row[0])

    def put_behind(self, row: Row) -> bool:
        """Whether a value is worse than the median of the averages."""
        middle, odd = divmod(len(self._sorted), 2)
        both = self._sorted[middle - 1 + odd : middle + 1]
        return row[0] > sum(both) / len(both)


class _RankedRows:
    """Averages of several objectives."""

    def __init__(self, objectives: int) -> None:
        self._ranks = Ranks(objectives)

    def __len__(self) -> int:
        return len(self._ranks)

    def add(self, row: Row) -> None:
        """Add the averages of a trial."""
        self._ranks.add(row)

    def put_behind(self, row: Row) -> bool:
        """Whether more than half of the averages are better than a row."""
        return self._ranks.better(row) > len(self) / 2
