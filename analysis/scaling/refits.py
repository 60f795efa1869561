"""Refits one form to many resamples at once: from log errors (b, n) to parameters (b, p).

L-BFGS-B finds the law itself (`analysis.scaling.forms`). scipy has no optimiser for a thousand
small problems in parallel, and one after the other they take seconds. Here they start from the
law and descend by damped Gauss-Newton steps on reweighted squares (Levenberg-Marquardt within
bounds, with Huber's weights), all in one batch.
"""

import numpy as np

from analysis.scaling.forms import Array, Form

_SWEEPS = 60
_CONVERGED = 1e-9
_STUCK = 1e8


def refit(
    form: Form, log_size: Array, log_errors: Array, *, start: Array, delta: float
) -> Array:
    """Fit each resample from the same start.

    Args:
        form: the law.
        log_size: (n,) or (n, 2), centred.
        log_errors: (b, n), one resample per row.
        start: theta (p,), the fit to the data.
        delta: delta of the Huber loss. A small one is approached in steps of a factor of about
            three, because reweighting alone converges slowly where the loss is nearly that of
            the median.

    Returns:
        thetas (b, p).
    """
    theta = np.broadcast_to(start, (len(log_errors), len(start))).copy()
    for level in (0.03, 0.01, 0.003):
        if level > delta:
            theta = _descended(form, log_size, log_errors, theta=theta, delta=level)
    return _descended(form, log_size, log_errors, theta=theta, delta=delta)


def _descended(
    form: Form, log_size: Array, log_errors: Array, *, theta: Array, delta: float
) -> Array:
    theta = theta.copy()
    damping = np.full(len(theta), 1e-3)
    live = np.arange(len(theta))
    for _ in range(_SWEEPS):
        here, target = theta[live], log_errors[live]
        fitted, gradient = form.curve(here, log_size)
        step = _step(
            form, here, fitted - target, gradient=gradient, delta=delta, damping=damping[live]
        )
        there = np.clip(here + step, *_walls(form))
        before = _losses(fitted - target, delta)
        after = _losses(form.curve(there, log_size)[0] - target, delta)
        better = after < before
        theta[live[better]] = there[better]
        damping[live] = np.where(better, damping[live] / 10, damping[live] * 10).clip(1e-8)
        done = better & (before - after < _CONVERGED * before)
        live = live[~done & (damping[live] < _STUCK)]
        if not len(live):
            break
    return theta


def _step(
    form: Form, theta: Array, residual: Array, *, gradient: Array, delta: float, damping: Array
) -> Array:
    """Damped Gauss-Newton step; a parameter that would leave its bounds is held there."""
    weight = np.minimum(1, delta / np.maximum(np.abs(residual), 1e-300))
    turned = np.swapaxes(gradient * weight[..., None], 1, 2)
    slope = (turned @ residual[..., None])[..., 0]
    low, high = _walls(form)
    held = ((theta <= low) & (slope > 0)) | ((theta >= high) & (slope < 0))
    curvature = (turned @ gradient) * ~(held[:, :, None] | held[:, None, :])
    diagonal = np.einsum("bii->bi", curvature)
    diagonal += diagonal * damping[:, None] + held + 1e-12
    step = np.linalg.solve(curvature, np.where(held, 0, -slope)[..., None])
    return np.asarray(step[..., 0], dtype=np.float64)


def _walls(form: Form) -> tuple[Array, Array]:
    low = [-np.inf if low is None else low for low, _ in form.bounds]
    high = [np.inf if high is None else high for _, high in form.bounds]
    return np.array(low), np.array(high)


def _losses(residual: Array, delta: float) -> Array:
    size = np.abs(residual)
    loss = np.where(size <= delta, size * size / 2, delta * (size - delta / 2))
    return np.asarray(loss.sum(axis=-1))
