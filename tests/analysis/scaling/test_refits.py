"""Many refits at once against one at a time by scipy."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from analysis.scaling.forms import Form, minimised, power, saturating
from analysis.scaling.refits import refit

LOG_SIZE = np.repeat(np.log(2.0) * np.linspace(-2.5, 2.5, 6), 3)
START = {"power": [-2.3, 0.15, 0.6], "saturating": [-2.2, 0.15, 0.6, 0.5]}


def resamples(count: int, floor: float = 0.15) -> np.ndarray:
    rng = np.random.default_rng(3)
    share = floor + 0.2 * np.exp(-0.6 * (LOG_SIZE - LOG_SIZE[0]))
    return np.log(share + 0.005 * rng.normal(size=(count, len(LOG_SIZE))))


@pytest.mark.parametrize("form", [power(), saturating(chance=99.0)], ids=lambda f: f.name)
@pytest.mark.parametrize(("delta", "slack"), [(0.03, 1e-6), (1e-3, 2e-3)])
def test_refits_reach_what_l_bfgs_b_reaches(form: Form, delta: float, slack: float) -> None:
    """To 1e-6 of the loss; near the median, where the loss is flat and edged, to 0.2 %."""
    rows = resamples(25)
    start = np.array(START[form.name])
    thetas = refit(form, LOG_SIZE, rows, start=start, delta=delta)
    for theta, row in zip(thetas, rows, strict=True):
        reference = minimised(form, LOG_SIZE, row, starts=np.stack([start, theta]), delta=delta)
        here = minimised(form, LOG_SIZE, row, starts=theta[None], delta=delta)
        residual = np.abs(form.curve(theta, LOG_SIZE)[0] - row)
        loss = np.where(residual < delta, residual**2 / 2, delta * (residual - delta / 2)).sum()
        assert loss <= reference.loss * (1 + slack)
        # What polishing still moves is little beside the noise of a resample (0.01).
        moved = form.curve(here.theta, LOG_SIZE)[0] - form.curve(theta, LOG_SIZE)[0]
        assert np.sqrt((moved**2).mean()) < 3e-3


def test_with_a_wide_delta_refits_are_scipy_s_least_squares() -> None:
    rows = resamples(20)
    start = np.array(START["power"])
    thetas = refit(power(), LOG_SIZE, rows, start=start, delta=1e3)
    for theta, row in zip(thetas, rows, strict=True):
        reference = least_squares(
            lambda t, row=row: power().curve(t, LOG_SIZE)[0] - row,
            start,
            bounds=([-30, 0, 0], [30, np.inf, 10]),
            xtol=1e-12,
            ftol=1e-12,
            gtol=1e-12,
        )
        np.testing.assert_allclose(theta, reference.x, rtol=2e-3, atol=2e-4)


def test_bounds_are_kept_where_the_offset_is_none() -> None:
    rows = resamples(200, floor=0.0)
    thetas = refit(power(), LOG_SIZE, rows, start=np.array(START["power"]), delta=0.03)
    assert (thetas[:, 1] >= 0).all()
    assert 0.2 < (thetas[:, 1] == 0).mean() < 0.8
