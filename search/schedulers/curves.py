"""Freeze and thaw (Swersky et al., 2014, arXiv:1406.3896): the most promising trial continues.

Every trial pauses after its first epochs. Whenever a trial may run, all curves are extrapolated
to the last epoch (`search.schedulers.extrapolation`). The trial that resumes, for a few epochs,
is the one whose end is expected to improve most on the best, per epoch that it has left. A new
network competes with them: it is expected to end like those seen so far.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from search.schedulers.base import Decision, Spared
from search.schedulers.extrapolation import Extrapolation, Forecast
from search.schedulers.ranks import Row, row_of
from search.schedulers.weights import scalarized
from search.schema.metrics import Objective

_FEWEST = 4  # networks to see before any resumes: fewer show too little


class Curves:
    """Pauses every trial again and again, and resumes the most promising one.

    With several objectives each choice weighs them differently (`search.schedulers.weights`).
    When every network was started but some have reported nothing yet, a device may idle while
    a new network would be the most promising: a scheduler learns only of reports.

    Args:
        epochs: length of a complete trial.
        trials: number of first trials of networks, including all tries.
        objectives: objectives by which trials are compared.
        grace: epochs before the first pause of every trial.
        quantum: epochs between two pauses after that.
        share: share of all epochs of the search; when they are spent, only one trial continues,
            the most promising, and only if none has finished.

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
        quantum: int = 1,
        share: float = 0.3,
    ) -> None:
        self._epochs, self._trials, self._objectives = epochs, trials, objectives
        self._grace, self._quantum = grace, quantum
        self._most = round(share * trials * epochs, 6)
        self.rungs = tuple(range(grace, epochs, quantum))
        self._curves: dict[int, list[Row]] = {}
        self._resting: dict[int, None] = {}
        self._seen: set[int] = set()  # trials that reported, or ended before
        self._over: set[int] = set()  # trials that ended
        self._resumed, self._spent = 0, 0
        self._whole = False  # whether some trial has finished
        self._last: int | None = None  # the one that continues when all epochs are spent

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> Decision:
        """Add a point to the trial's curve; pause it at a rung."""
        self._curves.setdefault(trial, []).append(row_of(self._objectives, metrics))
        self._seen.add(trial)
        self._spent += 1
        self._whole |= epoch == self._epochs
        if epoch not in self.rungs:
            return Decision.CONTINUE
        self._resting[trial] = None
        return Decision.PAUSE

    def ended(self, trial: int) -> None:
        """Note an end; the trial cannot resume, but its curve still informs about others."""
        self._seen.add(trial)
        self._over.add(trial)
        self._resting.pop(trial, None)
        if trial == self._last:
            self._last = None

    def resume(self) -> int | None:
        """The most promising trial per epoch; None where a new network is more so."""
        if not self._resting or len(self._seen) < min(_FEWEST, self._trials):
            return None
        if self._out_of_epochs():
            return self._to_the_end()
        forecasts, best = self._forecasts()
        promises = {
            trial: improvement(forecasts[trial], best) / self._left(trial)
            for trial in self._resting
        }
        trial = max(promises, key=lambda one: promises[one])  # of equals the first that paused
        new = improvement(_together(list(forecasts.values())), best) / self._epochs
        return None if len(self._seen) < self._trials and new >= promises[trial] else trial

    def resumed(self, trial: int) -> None:
        """Note that a trial is no longer paused."""
        if self._out_of_epochs() and not self._whole:
            self._last = trial
        self._resting.pop(trial, None)
        self._resumed += 1

    def spared(self) -> Spared:
        """The epochs beyond the share, without which the paused trials end."""
        live = self._curves.keys() - self._over
        every = (self._trials - len(self._over)) * self._epochs
        every -= sum(len(self._curves[trial]) for trial in live)
        left = self._to_come if self._out_of_epochs() else self._most - self._spent
        # Those that run, or resume last, may spend a few more; each new network counts as seen
        # from its first epoch on; one runs to its end in any case.
        running, unseen = len(live) - len(self._resting), self._trials - len(self._seen)
        left += max(self._grace, self._quantum) * (running + 1)
        left += (self._grace - 1) * max(0, unseen)
        left += 0 if self._whole else self._epochs - self._grace
        return Spared(0, max(0, every - math.ceil(left)))

    @property
    def _to_come(self) -> int:
        """First epochs of the networks that are still to come."""
        return max(0, self._trials - len(self._seen)) * self._grace

    def _out_of_epochs(self) -> bool:
        """Whether the rest is needed for the first epochs of networks still to come."""
        return self._spent + self._to_come >= self._most

    def _to_the_end(self) -> int | None:
        """The trial to train to its end, as a search without a complete one finds nothing."""
        if self._whole:
            return None
        if self._last is not None:
            return self._last if self._last in self._resting else None
        forecasts, _ = self._forecasts()
        return min(self._resting, key=lambda trial: forecasts[trial].mean)

    def _left(self, trial: int) -> int:
        return self._epochs - len(self._curves[trial])

    def _forecasts(self) -> tuple[dict[int, Forecast], float]:
        """The forecast of each curve; and the best end so far, or the best of all curves."""
        points = np.concatenate([np.array(rows) for rows in self._curves.values()])
        ends = np.cumsum([len(rows) for rows in self._curves.values()])
        values = scalarized(points, self._resumed)
        curves: list[npt.NDArray[np.float64]] = np.split(values, ends[:-1])
        extrapolation = Extrapolation(curves, epochs=self._epochs)
        forecasts = dict(zip(self._curves, extrapolation.forecasts(curves), strict=True))
        whole = [curve[-1] for curve in curves if len(curve) == self._epochs]
        return forecasts, float(min(whole or [curve[-1] for curve in curves]))


def improvement(forecast: Forecast, best: float) -> float:
    """Expected improvement: how far a normally distributed loss falls below the best."""
    if not forecast.spread:
        return max(0.0, best - forecast.mean)
    z = (best - forecast.mean) / forecast.spread
    below = 0.5 * math.erfc(-z / math.sqrt(2))
    density = math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    return forecast.spread * (z * below + density)


def _together(forecasts: Sequence[Forecast]) -> Forecast:
    """The distribution of an end that may be any of these."""
    means = np.array([one.mean for one in forecasts])
    within = np.mean([one.spread**2 for one in forecasts])
    return Forecast(float(means.mean()), float(np.sqrt(means.var() + within)))
