"""Simulates families of curves: do 90 % forecasts contain the next budget's result?

    python -m benchmarks.coverage.forecast    # all families, several minutes

Only some of the families are among the fitted forms. Each budget is a search of random
networks, and the best ones are compared, so the forecast must cover the noise of both.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.random import Generator

from analysis.scaling.forecast import error_forms, foretold
from analysis.statistics.resampling import resampled_best

_CHANCE = 99.0
_SIZES = 30e6 * 2.0 ** np.arange(6)
Curve = Callable[[np.ndarray], np.ndarray]


def power_with_offset(rng: Generator) -> Curve:
    """E + A x^-alpha."""
    floor, slope, part = rng.uniform(0, 20), rng.uniform(0.1, 0.9), rng.uniform(5, 25)
    return lambda x: floor + part * x**-slope


def broken(rng: Generator) -> Curve:
    """A power law whose slope changes within or beyond the budgets (Caballero et al. 2023)."""
    first, then = rng.uniform(0.1, 0.4), rng.uniform(0.02, 0.4)
    place, level = rng.uniform(1, 12), rng.uniform(15, 40)
    return lambda x: level * x**-first * (1 + (x / place) ** 4) ** ((first - then) / 4)


def bent(rng: Generator) -> Curve:
    """Log error is a parabola in log size, which falls less and less steeply."""
    level, slope = rng.uniform(15, 45), rng.uniform(0.15, 0.4)
    bend = rng.uniform(0, 0.3) * slope / np.log(64)
    return lambda x: level * np.exp(-slope * np.log(x) + bend * np.log(x) ** 2)


def linear(rng: Generator) -> Curve:
    """A fixed number of points per doubling of size."""
    level, slope = rng.uniform(25, 50), rng.uniform(0.5, 4)
    return lambda x: level - slope * np.log(x)


def from_chance(rng: Generator) -> Curve:
    """A share of chance that falls as 1 / (1 + (x / x0)^c), to a floor."""
    floor, place, slope = rng.uniform(0, 15), rng.uniform(0.1, 2), rng.uniform(0.2, 0.6)
    return lambda x: floor + (90 - floor) / (1 + (x / place) ** slope)


def stretched(rng: Generator) -> Curve:
    """A stretched exponential, which is none of the fitted forms."""
    floor, part, rate = rng.uniform(3, 20), rng.uniform(10, 25), rng.uniform(0.1, 0.4)
    return lambda x: floor + part * np.exp(-rate * (x**0.5 - 1))


def holds(
    rng: Generator, family: Callable[[Generator], Curve], *, budgets: int, networks: int = 24
) -> bool:
    """Whether the interval contains the best network of the next budget, of twice the size."""
    curve, spread = family(rng), rng.uniform(0.02, 0.12)
    sizes = _SIZES[: budgets + 1]
    truth = curve(sizes / sizes[0])
    # Networks of a space lie above its best, most of them close to it.
    errors = truth[:, None] * (1 + spread * rng.gamma(2, size=(budgets + 1, networks)))
    errors *= 1 + 0.01 * rng.standard_normal(errors.shape)  # seeds
    draws = np.column_stack(
        [resampled_best(row, rng=rng, resamples=500) for row in errors[:-1]]
    )
    found = foretold(
        sizes[:-1], errors[:-1].min(axis=1), draws, at=float(sizes[-1]),
        forms=error_forms(chance=_CHANCE), rng=rng,
    )  # fmt: skip
    return bool(found.low <= errors[-1].min() <= found.high)


FAMILIES = (power_with_offset, broken, bent, linear, from_chance, stretched)


def any_family(rng: Generator, *, budgets: int) -> bool:
    """`holds` for a randomly drawn family."""
    return holds(rng, FAMILIES[rng.integers(len(FAMILIES))], budgets=budgets)


SIMULATIONS: dict[str, Callable[[Generator], bool]] = {
    f"forecast, {budgets} budgets": partial(any_family, budgets=budgets)
    for budgets in (3, 4, 5)
}


def main(times: int = 1000) -> None:
    """Print the coverage for each family and 3, 4 and 5 budgets."""
    rng = np.random.default_rng(0)
    for family in FAMILIES:
        shares = [
            np.mean([holds(rng, family, budgets=budgets) for _ in range(times)])
            for budgets in (3, 4, 5)
        ]
        print(family.__name__, *(f"{share:.3f}" for share in shares), flush=True)


if __name__ == "__main__":
    main()
