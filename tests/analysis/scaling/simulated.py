"""Trials that follow a known law, for tests of what is concluded from trials."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Law = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def power_law(floor: float, level: float, slope: float, *, unit: float = 1.0) -> Law:
    return lambda size: floor + level * (size / unit) ** -slope


def trials(
    sizes: Sequence[float] | NDArray[np.float64],
    law: Law,
    *,
    rng: np.random.Generator | None = None,
    sd: float = 0.5,
    own: float = 0.0,
    seeds: int = 3,
) -> pd.DataFrame:
    """One row a network and seed; noise in percentage points, none without rng.

    Args:
        sizes: of the networks.
        law: error in percent.
        rng: of the noise.
        sd: of seeds.
        own: standard deviation of each network's own deviation from the law.
        seeds: of each network.
    """
    sizes = np.asarray(sizes, dtype=float)
    error = law(sizes)
    if rng is not None:
        error = error + own * rng.normal(size=len(sizes))
    error = np.repeat(error, seeds)
    if rng is not None:
        error = error + sd * rng.normal(size=len(error))
    return pd.DataFrame(
        {
            "network": np.repeat([f"n{i}" for i in range(len(sizes))], seeds),
            "seed": np.tile(np.arange(seeds), len(sizes)),
            "size": np.repeat(sizes, seeds),
            "error": error,
            "epochs": 60,
            "recipe": "r1",
            "data": "d1",
        }
    )
