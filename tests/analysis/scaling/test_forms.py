"""The forms against definitions and finite differences; the fit against other optimisers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime, minimize
from scipy.special import huber as scipy_huber

from analysis.scaling.forms import Form, best_starts, huber, joint, minimised, power, saturating

RANGES = {
    "power": [(-3.0, 0.0), (0.0, 0.5), (0.01, 3.0)],
    "saturating": [(-6.0, 6.0), (0.0, 0.9), (0.01, 3.0), (0.02, 4.0)],
    "joint": [(-3.0, 1.0), (-3.0, 1.0), (0.0, 3.0), (0.01, 1.5), (0.01, 1.5)],
}
FORMS = [power(), saturating(chance=99.0), joint()]
LOG_SIZE = np.log(2.0) * np.linspace(-2.5, 2.5, 6)


def sizes_for(form: Form) -> np.ndarray:
    return np.stack([LOG_SIZE, LOG_SIZE[::-1] / 2], -1) if form.name == "joint" else LOG_SIZE


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_gradients_are_those_of_finite_differences(form: Form, data: st.DataObject) -> None:
    theta = np.array([data.draw(st.floats(*limits)) for limits in RANGES[form.name]])
    sizes = sizes_for(form)
    _, gradient = form.curve(theta, sizes)
    numeric = approx_fprime(theta, lambda t: form.curve(t, sizes)[0], 1e-7)
    # Rounding leaves 1e-16 / 1e-7 of log errors near ten, and Newton's stop about as much.
    np.testing.assert_allclose(gradient, numeric, rtol=1e-3, atol=3e-6)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_batch_is_its_rows(form: Form) -> None:
    rng = np.random.default_rng(0)
    thetas = np.array([[rng.uniform(*r) for r in RANGES[form.name]] for _ in range(5)])
    values, gradients = form.curve(thetas, sizes_for(form))
    for theta, value, gradient in zip(thetas, values, gradients, strict=True):
        one, slope = form.curve(theta, sizes_for(form))
        np.testing.assert_allclose(value, one, rtol=1e-12)
        np.testing.assert_allclose(gradient, slope, rtol=1e-9, atol=1e-12)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(data=st.data(), mean=st.floats(-2, 25))
def test_the_curves_are_their_definitions_in_natural_parameters(
    data: st.DataObject, mean: float
) -> None:
    size = np.exp(LOG_SIZE + mean)
    theta = np.array([data.draw(st.floats(*limits)) for limits in RANGES["power"]])
    floor, level, slope = power().natural(theta, np.array([mean]))
    error = 100 * np.exp(power().curve(theta, LOG_SIZE)[0])
    np.testing.assert_allclose(error, floor + level * size**-slope, rtol=1e-9)

    form = saturating(chance=99.0)
    theta = np.array([data.draw(st.floats(*limits)) for limits in RANGES["saturating"]])
    floor, beta, slope, bend = form.natural(theta, np.array([mean]))
    error = 100 * np.exp(form.curve(theta, LOG_SIZE)[0])
    # Where the error is next to E or L0, the difference has lost its digits.
    clear = (error - floor > 1e-3) & (99 - error > 1e-3)
    error, size = error[clear], size[clear]
    left = np.log(error - floor) - bend * np.log(99 - error)
    right = np.log(beta) - slope * np.log(size)
    np.testing.assert_allclose(left, right, rtol=1e-7, atol=1e-7)


def test_the_joint_curve_is_its_definition() -> None:
    theta = np.array([-0.5, 0.2, 1.7, 0.35, 0.37])
    means = np.array([20.0, 23.0])
    floor, a, alpha, b, beta = joint().natural(theta, means)
    n, d = np.exp(sizes_for(joint()) + means).T
    loss = np.exp(joint().curve(theta, sizes_for(joint()))[0])
    np.testing.assert_allclose(loss, floor + a / n**alpha + b / d**beta, rtol=1e-10)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=20), st.floats(1e-4, 1))
def test_huber_is_scipy_s(residuals: list[float], delta: float) -> None:
    values = np.array(residuals)
    expected = scipy_huber(delta, values).sum() / delta
    assert huber(values, delta) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("delta", [1e-3, 0.03, 10.0])
@pytest.mark.parametrize("form", FORMS[:2], ids=lambda form: form.name)
@pytest.mark.slow
def test_no_start_and_no_other_optimiser_finds_less(form: Form, delta: float) -> None:
    rng = np.random.default_rng(1)
    log_size = np.repeat(LOG_SIZE, 3)
    share = 0.15 + 0.2 * np.exp(-0.6 * (log_size - log_size[0]))
    log_error = np.log(share + 0.005 * rng.normal(size=18))
    grid = best_starts(form, log_size, log_error, starts=100)
    found = minimised(form, log_size, log_error, starts=grid, delta=delta)

    def loss(theta: np.ndarray) -> float:
        return float(scipy_huber(delta, form.curve(theta, log_size)[0] - log_error).sum())

    assert found.loss == pytest.approx(loss(found.theta), rel=1e-9)
    simplex = minimize(
        loss,
        found.theta + 0.01 * rng.normal(size=len(found.theta)) * (found.theta > 0.02),
        method="Nelder-Mead",
        bounds=form.bounds,
        options={"maxfev": 20000, "maxiter": 20000, "xatol": 1e-9, "fatol": 1e-14},
    )
    # The saturating form is flat along a, and the two stop at different ends of the flat.
    assert found.loss <= simplex.fun * (1 + 1e-4)
    every = form.starts(log_size, log_error, 100)
    assert found.loss <= minimised(
        form, log_size, log_error, starts=every, delta=delta
    ).loss * (1 + 1e-4)


def test_an_offset_is_never_below_zero() -> None:
    log_error = np.log(0.3) - 0.3 * LOG_SIZE - 0.02 * LOG_SIZE**2  # bends down: wants E < 0
    grid = best_starts(power(), LOG_SIZE, log_error, starts=100)
    found = minimised(power(), LOG_SIZE, log_error, starts=grid, delta=1e-3)
    assert found.theta[1] == 0
