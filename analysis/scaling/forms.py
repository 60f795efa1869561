"""Fits parametric scaling laws: finds the best parameters for sizes and errors.

A form defines how log error depends on log size, with its exact gradient. Internally, sizes are
centred (divided by their geometric mean) and errors are shares (0..1; losses stay in nats), so
that every parameter is near one and L-BFGS sees a well-scaled problem. Each curve takes
parameters of any leading shape (..., p), so a grid of starts or all resamples take one call.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

Array = NDArray[np.float64]
Curve = Callable[[Array, Array], tuple[Array, Array]]
Bounds = tuple[tuple[float | None, float | None], ...]

# scipy stops where f falls by less than ftol * max(f, 1). Hoffmann et al. stopped too early by
# this rule with a mean of small losses (Besiroglu et al., 2024, section 4).
_TIGHT = 1e-14
_FIRST, _LAST = 60, 3  # steps from every start, and starts continued to the end


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One parametric form.

    Args:
        name: name shown in tables.
        parameters: names of the parameters, as in the paper, in the order of `natural`'s
            result.
        curve: (theta (..., p), centred log sizes (n,) or (n, 2)) -> log errors (..., n) and
            their gradient (..., n, p).
        starts: (centred log sizes, log errors, approximate number) -> thetas (k, p).
        bounds: bounds of each entry of theta.
        natural: (theta (..., p), mean log sizes (d,)) -> parameters (..., p) as the paper
            defines them, for errors in percent (losses in nats).
        chance: error of random guessing in percent, which the form never reaches; None if it
            has no such bound.
    """

    name: str
    parameters: tuple[str, ...]
    curve: Curve
    starts: Callable[[Array, Array, int], Array]
    bounds: Bounds
    natural: Callable[[Array, Array], Array]
    chance: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """The best parameters found, and the sum of Huber losses there."""

    theta: Array
    loss: float


def minimised(
    form: Form,
    log_size: Array,
    log_error: Array,
    *,
    starts: Array,
    delta: float,
) -> Solution:
    """Minimise the sum of Huber losses of log residuals by L-BFGS-B from each start.

    Args:
        form: the law.
        log_size: (n,) or (n, 2), centred.
        log_error: (n,).
        starts: (k, p).
        delta: log error at which the loss changes from quadratic to linear.

    Returns:
        The best of all k; its loss is the sum (not the mean) over rows.
    """

    def objective(theta: Array) -> tuple[float, Array]:
        fitted, gradient = form.curve(theta, log_size)
        residual = fitted - log_error
        return huber(residual, delta), np.clip(residual, -delta, delta) @ gradient / delta

    def descended(start: Array, most: int) -> Any:
        return minimize(
            objective,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=form.bounds,
            options={"ftol": _TIGHT, "gtol": 1e-9, "maxiter": most, "maxfun": 20000},
        )

    # Starts that converge to one point need not all follow the flat valley before it.
    near = sorted((descended(start, _FIRST) for start in starts), key=_loss)
    best = min((descended(one.x, 5000) for one in near[:_LAST]), key=_loss)
    return Solution(theta=np.asarray(best.x), loss=float(best.fun) * delta)


def _loss(result: Any) -> float:
    return float(result.fun)


def huber(residual: Array, delta: float) -> float:
    """Sum of Huber losses in units of delta, which makes it close to the sum of |residual|."""
    size = np.abs(residual)
    loss = np.where(size <= delta, size * size / 2, delta * (size - delta / 2))
    return float(loss.sum() / delta)


def best_starts(form: Form, log_size: Array, log_error: Array, *, starts: int) -> Array:
    """Make a grid of about `starts` starts; keep the best tenth by the sum of |residual|.

    In simulations, all hundred starts of the power law converge to the same point, so a tenth
    is ample.
    """
    grid = form.starts(log_size, log_error, starts)
    fitted, _ = form.curve(grid, log_size)
    order = np.argsort(np.abs(fitted - log_error).sum(axis=-1))
    return grid[order[: max(1, len(grid) // 10)]]


def power() -> Form:
    """Power law with offset, L(x) = E + A * x^-alpha, E >= 0 (Hestness et al., 2017).

    theta is (log A, E, alpha), the parameters are (E, A, alpha).
    """

    def natural(theta: Array, mean_log_size: Array) -> Array:
        level, floor, slope = np.moveaxis(theta, -1, 0)
        scale = 100 * np.exp(level + slope * mean_log_size[0])
        return np.stack([100 * floor, scale, slope], axis=-1)

    return Form(
        name="power",
        parameters=("E", "A", "alpha"),
        curve=_power,
        starts=_power_starts,
        bounds=((-30.0, 30.0), (0.0, None), (0.0, 10.0)),
        natural=natural,
    )


def saturating(*, chance: float) -> Form:
    """Alabdulmohsin et al. (2022), M4: (L - E) / (L0 - L)^a = beta * x^-c, E >= 0.

    L is bounded by L0, the error of random guessing; at a = 0 it would be the power law. With
    the share s = (L - E) / (L0 - E), theta is (log s/(1-s)^a at the mean size, E / L0, c, a);
    the parameters are (E, beta, c, a).

    Args:
        chance: L0 in percent, such as 99.0 for 100 classes.
    """

    def natural(theta: Array, mean_log_size: Array) -> Array:
        level, floor, slope, bend = np.moveaxis(theta, -1, 0)
        span = np.log(chance * (1 - floor))
        beta = np.exp((1 - bend) * span + level + slope * mean_log_size[0])
        return np.stack([chance * floor, beta, slope, bend], axis=-1)

    log_chance = float(np.log(chance / 100))

    def curve(theta: Array, log_size: Array) -> tuple[Array, Array]:
        relative, gradient = _saturating(theta, log_size)
        return log_chance + relative, gradient

    def starts(log_size: Array, log_error: Array, count: int) -> Array:
        return _saturating_starts(log_size, log_error - log_chance, count)

    return Form(
        name="saturating",
        parameters=("E", "beta", "c", "a"),
        curve=curve,
        starts=starts,
        bounds=((-30.0, 30.0), (0.0, 0.999), (0.0, 10.0), (0.01, 5.0)),
        natural=natural,
        chance=chance,
    )


def joint() -> Form:
    """Hoffmann et al. (2022), L(N, D) = E + A / N^alpha + B / D^beta, E >= 0, losses in nats.

    theta is (log A, log B, E, alpha, beta), the parameters are (E, A, alpha, B, beta).
    """

    def natural(theta: Array, mean_log_size: Array) -> Array:
        level_n, level_d, floor, alpha, beta = np.moveaxis(theta, -1, 0)
        scale_n = np.exp(level_n + alpha * mean_log_size[0])
        scale_d = np.exp(level_d + beta * mean_log_size[1])
        return np.stack([floor, scale_n, alpha, scale_d, beta], axis=-1)

    return Form(
        name="joint",
        parameters=("E", "A", "alpha", "B", "beta"),
        curve=_joint,
        starts=_joint_starts,
        bounds=((-30.0, 30.0), (-30.0, 30.0), (0.0, None), (0.0, 10.0), (0.0, 10.0)),
        natural=natural,
    )


# Centred sizes and shares are so close to one that log(E + exp(..)) is exact: the papers'
# logsumexp is needed only for raw sizes, and could not represent E = 0.
def _power(theta: Array, log_size: Array) -> tuple[Array, Array]:
    level, floor, slope = np.moveaxis(theta[..., None], -2, 0)
    part = np.exp(level - slope * log_size)
    error = floor + part
    gradient = np.stack([part, np.ones_like(part), -log_size * part], axis=-1)
    return np.log(error), gradient / error[..., None]


def _joint(theta: Array, log_sizes: Array) -> tuple[Array, Array]:
    log_n, log_d = log_sizes.T
    level_n, level_d, floor, alpha, beta = np.moveaxis(theta[..., None], -2, 0)
    part_n = np.exp(level_n - alpha * log_n)
    part_d = np.exp(level_d - beta * log_d)
    loss = floor + part_n + part_d
    parts = [part_n, part_d, np.ones_like(loss), -log_n * part_n, -log_d * part_d]
    return np.log(loss), np.stack(parts, axis=-1) / loss[..., None]


def _saturating(theta: Array, log_size: Array) -> tuple[Array, Array]:
    """Log of L / L0: solve log s - a log(1 - s) = level - c * log_size for the logit of s."""
    level, floor, slope, bend = np.moveaxis(theta[..., None], -2, 0)
    target = level - slope * log_size
    logit = np.where(target < 0, target, target / bend)
    # The left side is either convex or concave everywhere in the logit, so Newton cannot
    # overshoot twice; its slope lies between 1 and a.
    for _ in range(60):
        share = expit(logit)
        value = bend * np.logaddexp(0, logit) - np.logaddexp(0, -logit)
        step = (value - target) / (1 - share + bend * share)
        logit = logit - step
        if np.abs(step).max() < 1e-13 * (1 + np.abs(logit).max()):
            break
    share = expit(logit)
    error = floor + (1 - floor) * share
    pace = (1 - floor) * share * (1 - share) / (1 - share + bend * share)
    parts = [pace, 1 - share, -log_size * pace, -np.logaddexp(0, logit) * pace]
    return np.log(error), np.stack(parts, axis=-1) / error[..., None]


def _mesh(*axes: Array) -> tuple[Array, ...]:
    return tuple(axis.ravel() for axis in np.meshgrid(*axes, indexing="ij"))


def _power_starts(log_size: Array, log_error: Array, count: int) -> Array:
    """Make a grid over slope and floor, with the level that fits the median row."""
    side = max(2, round(count**0.5))
    shares = np.linspace(0, 0.97, side) * np.exp(log_error.min())
    slope, floor = _mesh(np.geomspace(0.03, 3, side), shares)
    above = np.log(np.exp(log_error) - floor[:, None]) + slope[:, None] * log_size
    return np.stack([np.median(above, axis=1), floor, slope], axis=-1)


def _saturating_starts(log_size: Array, log_error: Array, count: int) -> Array:
    side = max(2, round(count ** (1 / 3)))
    shares = np.linspace(0, 0.97, side) * np.exp(log_error.min())
    axes = (np.geomspace(0.03, 3, side), shares, np.linspace(0.1, 2, side))
    slope, floor, bend = _mesh(*axes)
    share = (np.exp(log_error) - floor[:, None]) / (1 - floor[:, None])
    level = np.log(share) - bend[:, None] * np.log1p(-share) + slope[:, None] * log_size
    return np.stack([np.median(level, axis=1), floor, slope, bend], axis=-1)


def _joint_starts(log_sizes: Array, log_error: Array, count: int) -> Array:
    """As for the power law; each of the two terms starts with half of the error above E."""
    side = max(2, round(count ** (1 / 3)))
    slopes = np.geomspace(0.1, 1.5, side)
    shares = np.linspace(0, 0.97, side) * np.exp(log_error.min())
    alpha, beta, floor = _mesh(slopes, slopes, shares)
    above = np.log((np.exp(log_error) - floor[:, None]) / 2)
    log_n, log_d = log_sizes.T
    level_n = np.median(above + alpha[:, None] * log_n, axis=1)
    level_d = np.median(above + beta[:, None] * log_d, axis=1)
    return np.stack([level_n, level_d, floor, alpha, beta], axis=-1)
