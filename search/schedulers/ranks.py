"""Orders trials by their objectives: non-dominated rank, then crowding distance.

A trial dominates another if it is at least as good in every objective and better in one. Rank 0
are those that none dominates, rank 1 those that only rank 0 dominates, and so on; inside a rank
the less crowded come first (Deb et al., 2002, NSGA-II). With one objective the order is that of
its values. Rows are losses: lower is better.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from search.schema.metrics import Objective

Row = tuple[float, ...]
_Rows = npt.NDArray[np.float64]
_Ranks = npt.NDArray[np.int64]


def row_of(objectives: Sequence[Objective], metrics: Mapping[str, float]) -> Row:
    """The loss of each objective, in their order."""
    return tuple(one.loss(metrics[one.name]) for one in objectives)


class Ranks:
    """Rows in the order they came, and how good each is among them.

    Args:
        objectives: number of losses in a row.
    """

    def __init__(self, objectives: int) -> None:
        self._rows = np.empty((0, objectives))
        self._ranks: _Ranks = np.empty(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._rows)

    def better(self, row: Row) -> int:
        """How many rows are better than another one, which is not added."""
        new = np.array(row)
        if len(row) == 1:  # its values give its ranks
            return int((self._rows[:, 0] < row[0]).sum())
        rank = self._rank_of(new)
        beside = self._rows[self._ranks == rank]
        beside = beside[~_dominate(new, beside)]  # those it dominates would rank behind it
        crowding = crowding_of(np.vstack([beside, new]))
        return int((self._ranks < rank).sum() + (crowding[:-1] > crowding[-1]).sum())

    def add(self, row: Row) -> None:
        """Add a row."""
        new = np.array(row)
        if len(row) > 1:
            rank = self._rank_of(new)
            self._push(new, rank)
            self._ranks = np.append(self._ranks, rank)
        self._rows = np.vstack([self._rows, new])

    def best_first(self) -> list[int]:
        """The numbers of all rows, counted from 0 as they came; equal rows in that order."""
        if self._rows.shape[1] == 1:
            return [int(i) for i in np.argsort(self._rows[:, 0], kind="stable")]
        spread = np.zeros(len(self))
        for rank in range(int(self._ranks.max(initial=-1)) + 1):
            (beside,) = np.nonzero(self._ranks == rank)
            spread[beside] = crowding_of(self._rows[beside])
        return [int(i) for i in np.lexsort((-spread, self._ranks))]

    def _rank_of(self, new: _Rows) -> int:
        better = self._ranks[_dominate(self._rows, new)]
        return int(better.max(initial=-1)) + 1

    def _push(self, new: _Rows, rank: int) -> None:
        """Move rows of its rank that it dominates to the next rank, pushing others in turn."""
        pushing = new[None]
        while len(pushing):
            (beside,) = np.nonzero(self._ranks == rank)
            moved = beside[_dominate(pushing[:, None], self._rows[beside]).any(axis=0)]
            rank += 1
            self._ranks[moved] = rank
            pushing = self._rows[moved]


def _dominate(rows: _Rows, others: _Rows) -> npt.NDArray[np.bool_]:
    """Which rows dominate which others; the last axis holds the losses."""
    no_worse, better = (rows <= others).all(axis=-1), (rows < others).any(axis=-1)
    return np.asarray(no_worse & better)


def crowding_of(rows: _Rows) -> _Rows:
    """The distance between each row's neighbours, over all objectives; infinite at ends."""
    spread = np.zeros(len(rows))
    for values in rows.T:
        order = np.argsort(values, kind="stable")
        sorted_values = values[order]
        spread[order[[0, -1]]] = np.inf
        width = sorted_values[-1] - sorted_values[0]
        if width > 0:
            spread[order[1:-1]] += (sorted_values[2:] - sorted_values[:-2]) / width
    return spread
