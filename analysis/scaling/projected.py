"""Fits L = E + A / N^alpha + B / D^beta to trials by variable projection.

Given the exponents, the law is linear in E, A and B, so that the best of these are computed
exactly (Golub and Pereyra 1973) and only alpha and beta are searched: two numbers instead of
five, without starts that converge to different points. Where isoMACs parabolas are biased
(arXiv 2603.22339), the exponent of the best size, beta / (alpha + beta), is taken from here.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize, nnls

from analysis.scaling.forms import Array, joint
from analysis.scaling.noise import deviations, spread
from analysis.scaling.points import Refusal, cells, check_one, check_values
from analysis.scaling.refits import refit

_LEAST_SQUARES = 1e3  # a Huber loss that never becomes linear
_FEWEST = 3  # sizes, and also lengths
_GRID = np.geomspace(0.05, 2.0, 12)
_PARAMETERS = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Projected:
    """A fitted law.

    Attributes:
        parameters: E, A, alpha, B, beta, for errors in percent.
        exponent: beta / (alpha + beta), the exponent of the best size against training compute.
        low: end of its 95 % interval.
        high: the other end.
        residuals: `size`, `examples`, `error` and `fitted` (percent) of each row, and `off`:
            how far the error lies above the law, as a share of the law's value.
    """

    parameters: dict[str, float]
    exponent: float
    low: float
    high: float
    residuals: pd.DataFrame


def projected(
    points: pd.DataFrame, *, rng: np.random.Generator, resamples: int = 500
) -> Projected:
    """Fit the law to trials of several sizes and lengths, by least squares of log error.

    Args:
        points: columns of `analysis.scaling.points`, and `images` per epoch; a network trained
            for two lengths has a separate name for each.
        rng: draws the resamples.
        resamples: number of resamples of the law plus deviations drawn by
            `analysis.scaling.noise`.

    Raises:
        Refusal: there are fewer than three sizes or lengths, not more networks than parameters,
            or mixed recipes or data.
    """
    check_values(points)
    check_one(points, "recipe", "compare networks of one recipe")
    check_one(points, "data", "compare networks on one data set")
    size = points["size"].to_numpy(dtype=float)
    examples = (points["epochs"] * points["images"]).to_numpy(dtype=float)
    for name, values in (("sizes", size), ("lengths", examples)):
        count = len(np.unique(values))
        if count < _FEWEST:
            raise Refusal(
                f"{count} {name} are fewer than {_FEWEST}", f"train networks of more {name}"
            )
    error = points["error"].to_numpy(dtype=float)
    raw = np.log(np.stack([size, examples], axis=-1))
    logs = raw - raw.mean(axis=0)
    theta = _solved(logs, error / 100)
    form = joint()
    fitted = 100 * np.exp(form.curve(theta, logs)[0])
    strayed = deviations(
        spread(points, fitted, free=_PARAMETERS), cells(points), draws=resamples, rng=rng
    )
    drawn = refit(
        form, logs, np.log(fitted / 100) + strayed / fitted, start=theta, delta=_LEAST_SQUARES
    )
    shares = drawn[:, 4] / np.maximum(drawn[:, 3] + drawn[:, 4], 1e-12)
    low, high = np.quantile(shares, [0.025, 0.975])
    natural = form.natural(theta, raw.mean(axis=0)) * np.array([100, 100, 1, 100, 1])
    frame = pd.DataFrame({"size": size, "examples": examples, "error": error, "fitted": fitted})
    return Projected(
        parameters=dict(zip(form.parameters, natural.tolist(), strict=True)),
        exponent=float(theta[4] / (theta[3] + theta[4])),
        low=float(low),
        high=float(high),
        residuals=frame.assign(off=error / fitted - 1),
    )


def _solved(logs: Array, share: Array) -> Array:
    """Theta of `forms.joint`: exponents are searched, the rest computed; none is below 0."""

    def solved(exponents: Array) -> tuple[Array, float]:
        columns = [np.ones(len(logs)), *np.exp(-exponents * logs).T]
        # Relative residuals equal those of log error as long as they are small.
        found, rest = nnls(np.stack(columns, axis=-1) / share[:, None], np.ones(len(logs)))
        return found, float(rest)

    def missed(log_exponents: Array) -> float:
        return solved(np.exp(log_exponents))[1]

    grid = [np.array([alpha, beta]) for alpha in _GRID for beta in _GRID]
    start = min(grid, key=lambda exponents: solved(exponents)[1])
    found = minimize(
        missed,
        np.log(start),
        method="Nelder-Mead",
        options={"xatol": 1e-6, "fatol": 1e-12, "maxiter": 2000},
    )
    exponents = np.exp(found.x)
    (floor, of_size, of_examples), _ = solved(exponents)
    levels = np.log(np.maximum([of_size, of_examples], 1e-12))
    return np.array([*levels, floor, *exponents])
