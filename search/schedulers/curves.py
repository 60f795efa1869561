"""Freeze and thaw (Swersky et al., 2014, arXiv:1406.3896): who promises most goes on.

Every trial rests after its first epochs. Whenever a trial may run, the curves of all are
extrapolated to the last epoch (`search.schedulers.extrapolation`), and the trial goes on for a
few epochs whose end is expected to improve most on the best, for each epoch that is left to it.
A new network competes with them: it is expected to end as those that were seen.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from search.schedulers.base import Decision
from search.schedulers.extrapolation import Extrapolation, Forecast
from search.schedulers.ranks import Row, row_of
from search.schedulers.weights import scalarized
from search.schema.metrics import Objective

_FEWEST = 4  # networks that are seen before any goes on: of fewer, nothing is known


class Curves:
    """Pauses every trial again and again, and resumes the most promising one.

    With several objectives each choice weighs them otherwise (`search.schedulers.weights`).
    While every network was started but some have reported nothing yet, a device may idle where
    a new network would promise most: a scheduler is told of reports only.

    Args:
        epochs: length of a whole trial.
        trials: first trials of networks, all tries of them.
        objectives: by which trials are compared.
        grace: epochs of every trial.
        quantum: epochs between two rests after that.
        share: of all epochs of the search; when they are spent, nothing goes on but one trial,
            the most promising, if none has come to its end.

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
        quantum: int = 1,
        share: float = 0.3,
    ) -> None:
        self._epochs, self._trials, self._objectives = epochs, trials, objectives
        self._grace, self._most = grace, share * trials * epochs
        self.rungs = tuple(range(grace, epochs, quantum))
        self._curves: dict[int, list[Row]] = {}
        self._resting: dict[int, None] = {}
        self._seen: set[int] = set()  # that reported, or ended before
        self._resumed, self._spent = 0, 0
        self._whole = False  # whether some trial has come to its end
        self._last: int | None = None  # the one that goes on when all is spent

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> Decision:
        """Note a point of the trial's curve; let it rest where it should."""
        self._curves.setdefault(trial, []).append(row_of(self._objectives, metrics))
        self._seen.add(trial)
        self._spent += 1
        self._whole |= epoch == self._epochs
        if epoch not in self.rungs:
            return Decision.CONTINUE
        self._resting[trial] = None
        return Decision.PAUSE

    def ended(self, trial: int) -> None:
        """It cannot go on; its curve still tells of others."""
        self._seen.add(trial)
        self._resting.pop(trial, None)
        if trial == self._last:
            self._last = None

    def resume(self) -> int | None:
        """The trial that promises most for each epoch; None where a new network does."""
        if not self._resting or len(self._seen) < min(_FEWEST, self._trials):
            return None
        if self._out_of_epochs():
            return self._to_the_end()
        forecasts, best = self._forecasts()
        promises = {
            trial: improvement(forecasts[trial], best) / self._left(trial)
            for trial in self._resting
        }
        trial = max(promises, key=lambda one: promises[one])  # of equals the first to rest
        new = improvement(_together(list(forecasts.values())), best) / self._epochs
        return None if len(self._seen) < self._trials and new >= promises[trial] else trial

    def resumed(self, trial: int) -> None:
        """It rests no more."""
        if self._out_of_epochs() and not self._whole:
            self._last = trial
        self._resting.pop(trial, None)
        self._resumed += 1

    def _out_of_epochs(self) -> bool:
        """Whether the rest is needed for the first epochs of networks to come."""
        to_come = max(0, self._trials - len(self._seen)) * self._grace
        return self._spent + to_come >= self._most

    def _to_the_end(self) -> int | None:
        """Without a trial that is trained whole a search has found nothing: so one is."""
        if self._whole:
            return None
        if self._last is not None:
            return self._last if self._last in self._resting else None
        forecasts, _ = self._forecasts()
        return min(self._resting, key=lambda trial: forecasts[trial].mean)

    def _left(self, trial: int) -> int:
        return self._epochs - len(self._curves[trial])

    def _forecasts(self) -> tuple[dict[int, Forecast], float]:
        """What each curve says of its end; the best end so far, or the best of all curves."""
        points = np.concatenate([np.array(rows) for rows in self._curves.values()])
        ends = np.cumsum([len(rows) for rows in self._curves.values()])
        values = scalarized(points, self._resumed)
        curves: list[npt.NDArray[np.float64]] = np.split(values, ends[:-1])
        extrapolation = Extrapolation(curves, epochs=self._epochs)
        forecasts = dict(zip(self._curves, extrapolation.forecasts(curves), strict=True))
        whole = [curve[-1] for curve in curves if len(curve) == self._epochs]
        return forecasts, float(min(whole or [curve[-1] for curve in curves]))


def improvement(forecast: Forecast, best: float) -> float:
    """By how much a loss is expected to fall below the best; of a normal distribution."""
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
