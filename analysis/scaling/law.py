"""Fits a scaling law with intervals to finished trials.

    law = bootstrap(fit(points, form=power()), points, rng=rng)
    law.parameters, law.intervals(), law.predict(2e9), law.band(sizes)

`fit` refuses trials that do not support a law (`points` of `analysis.scaling`) and fits in log
space (`forms`); `bootstrap` adds the uncertainty (`noise`). `judging` chooses the form.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.scaling.forms import Array, Form, best_starts, joint, minimised
from analysis.scaling.noise import Spread, deviations, spread
from analysis.scaling.points import Refusal, cells, check
from analysis.scaling.refits import refit

DELTA = 1e-3
REACH = 2.0
_LEAST_SQUARES = 1e3  # a Huber loss that never becomes linear


class Prediction(NamedTuple):
    """Error predicted by the law in percent, with an interval if the law is bootstrapped."""

    error: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Law:
    """A fitted law.

    Args:
        form: the form that was fitted.
        theta: its parameters as taken by `form.curve` (p,).
        mean_log_size: mean over all rows; internally, sizes are divided by its exponential.
        smallest: smallest fitted size.
        largest: largest fitted size.
        loss: sum of Huber losses of log residuals.
        delta: delta of that loss.
        draws: parameters of each resample (b, p), or None before `bootstrap`.
    """

    form: Form
    theta: Array
    mean_log_size: float
    smallest: float
    largest: float
    loss: float
    delta: float
    draws: Array | None = None

    @property
    def parameters(self) -> dict[str, float]:
        """Parameters by name, for sizes as given and errors in percent."""
        values = self.form.natural(self.theta, np.array([self.mean_log_size]))
        return dict(zip(self.form.parameters, values.tolist(), strict=True))

    def intervals(self, *, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """Percentile interval of each parameter, over the resamples.

        They are wide and skewed where sizes are few, because E, A and alpha can compensate for
        each other. Trust the band of the curve instead.
        """
        values = self.form.natural(self._drawn(), np.array([self.mean_log_size]))
        low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
        pairs = zip(low.tolist(), high.tolist(), strict=True)
        return dict(zip(self.form.parameters, pairs, strict=True))

    def errors(self, sizes: Array, *, theta: Array | None = None) -> Array:
        """Errors in percent at sizes (g,): of the law (g,), or of thetas (b, p) as (b, g)."""
        theta = self.theta if theta is None else theta
        log_errors, _ = self.form.curve(theta, np.log(sizes) - self.mean_log_size)
        return 100 * np.exp(log_errors)

    def predict(self, size: float, *, reach: float = REACH, level: float = 0.95) -> Prediction:
        """Predict the error of one size.

        Args:
            size: size, in the unit of those fitted.
            reach: maximum extrapolation beyond the fitted sizes, as a factor.
            level: confidence level of the interval.

        Raises:
            Refusal: the size is out of reach.
        """
        row = self.band(np.array([size]), reach=reach, level=level).iloc[0]
        bounds = (None, None) if self.draws is None else (float(row.low), float(row.high))
        return Prediction(float(row.error), *bounds)

    def band(self, sizes: Array, *, reach: float = REACH, level: float = 0.95) -> pd.DataFrame:
        """Predict many sizes: columns size, error, low and high (NaN before `bootstrap`)."""
        self._reachable(sizes, reach)
        frame = pd.DataFrame({"size": sizes, "error": self.errors(sizes)})
        if self.draws is None:
            return frame.assign(low=np.nan, high=np.nan)
        ends = [(1 - level) / 2, (1 + level) / 2]
        low, high = np.quantile(self.errors(sizes, theta=self.draws), ends, axis=0)
        return frame.assign(low=low, high=high)

    def _drawn(self) -> Array:
        if self.draws is None:
            raise Refusal("the law has no resamples", "pass it through bootstrap first")
        return self.draws

    def _reachable(self, sizes: Array, reach: float) -> None:
        low, high = self.smallest / reach, self.largest * reach
        # A rounding error must not exclude the very end of the range.
        out = (sizes < low * (1 - 1e-9)) | (sizes > high * (1 + 1e-9))
        if out.any():
            raise Refusal(
                f"size {sizes[out][0]:.4g} is outside [{low:.4g}, {high:.4g}], a factor "
                f"{reach:g} beyond the sizes fitted",
                "train networks nearer to it, or widen reach and trust it less",
            )


def fit(
    points: pd.DataFrame,
    *,
    form: Form,
    delta: float = DELTA,
    starts: int = 100,
    epochs_studied: bool = False,
) -> Law:
    """Fit a law to finished trials, in log space, by the sum of Huber losses.

    Args:
        points: see `analysis.scaling.points`.
        form: `power()` or `saturating(chance=...)` of `analysis.scaling.forms`.
        delta: of the Huber loss in log error (Hoffmann et al., 2022: 1e-3). With so small a
            delta the fit is nearly that of the median: robust, but about 20 % less precise than
            0.03 for normal noise.
        starts: approximate number of starts in the grid.
        epochs_studied: whether size includes the epochs, so that they may differ.

    Raises:
        Refusal: the trials do not support a law; see `analysis.scaling.points.check`.
    """
    chance = form.chance or 100.0
    check(
        points,
        parameters=len(form.parameters),
        chance=chance,
        epochs_studied=epochs_studied,
    )
    raw = np.log(points["size"].to_numpy(dtype=float))
    log_size = raw - raw.mean()
    log_error = np.log(points["error"].to_numpy(dtype=float) / 100)
    grid = best_starts(form, log_size, log_error, starts=starts)
    found = minimised(form, log_size, log_error, starts=grid, delta=delta)
    return Law(
        form=form,
        theta=found.theta,
        mean_log_size=float(raw.mean()),
        smallest=float(points["size"].min()),
        largest=float(points["size"].max()),
        loss=found.loss,
        delta=delta,
    )


def bootstrap(
    law: Law, points: pd.DataFrame, *, rng: np.random.Generator, resamples: int = 1000
) -> Law:
    """Add uncertainty to a law.

    Networks are the unit, together with their seeds; `analysis.scaling.noise` describes how
    they are drawn and with what coverage. A network at several sizes (epochs studied) counts as
    several.

    Args:
        law: fitted to these points.
        points: as given to `fit`.
        rng: source of all draws.
        resamples: number of resamples.

    Returns:
        The law with `draws` set.

    Raises:
        Refusal: there are not more networks than free parameters.
    """
    strayed = deviations(stray(law, points), cells(points), draws=resamples, rng=rng)
    return replace(law, draws=redrawn(law, points, strayed))


def stray(law: Law, points: pd.DataFrame) -> Spread:
    """Measure how far the trials deviate from the law, refitted by least squares."""
    sizes = points["size"].to_numpy(dtype=float)
    log_error = np.log(points["error"].to_numpy(dtype=float) / 100)
    theta = refit(
        law.form,
        np.log(sizes) - law.mean_log_size,
        log_error[None],
        start=law.theta,
        delta=_LEAST_SQUARES,
    )[0]
    bound = [value in limits for value, limits in zip(theta, law.form.bounds, strict=True)]
    return spread(points, law.errors(sizes, theta=theta), free=len(theta) - sum(bound))


def redrawn(law: Law, points: pd.DataFrame, strayed: Array) -> Array:
    """Refit the law to itself plus deviations in points (b, n); return thetas (b, p)."""
    sizes = points["size"].to_numpy(dtype=float)
    fitted = law.errors(sizes)
    return refit(
        law.form,
        np.log(sizes) - law.mean_log_size,
        np.log(fitted / 100) + strayed / fitted,
        start=law.theta,
        delta=law.delta,
    )


def fit_joint(
    size: Array, examples: Array, loss: Array, *, delta: float = DELTA, starts: int = 1000
) -> Mapping[str, float]:
    """Fit L = E + A / N^alpha + B / D^beta (Hoffmann et al., 2022, approach 3).

    Args:
        size: N, the number of parameters of each network (n,).
        examples: D, the number of tokens or images it was trained on (n,).
        loss: L in nats, or error as a share (n,).
        delta: delta of the Huber loss in log L.
        starts: approximate number of starts in the grid.

    Returns:
        E, A, alpha, B, beta, and `loss`, the sum of Huber losses.
    """
    form = joint()
    raw = np.log(np.stack([size, examples], axis=-1))
    log_sizes, log_loss = raw - raw.mean(axis=0), np.log(loss)
    grid = best_starts(form, log_sizes, log_loss, starts=starts)
    found = minimised(form, log_sizes, log_loss, starts=grid, delta=delta)
    values = form.natural(found.theta, raw.mean(axis=0)).tolist()
    return dict(zip(form.parameters, values, strict=True)) | {"loss": found.loss}
