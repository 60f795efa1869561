"""Computes the exchange rate of two dimensions from trials along both.

"x2 in scale, which costs x1.75 MACs, buys what x1.7 in MACs of depth buys, 95 % [1.5, 2.0]."
The design is that of Fig. 5 of the Res2Net paper: one base network, and some networks varied
from it along each dimension. In addition to the columns of `analysis.scaling.points`,
`multiplier` says by how much the dimension is multiplied; the base has 1 and its rows are in
both frames.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.scaling.forms import Array, Form
from analysis.scaling.law import DELTA, REACH, Law, fit, redrawn, stray
from analysis.scaling.noise import pooled, shared_deviations
from analysis.scaling.points import Refusal

_GRID = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What multiplying dimension a is worth in the cost of dimension b.

    Args:
        multiplier: multiplier of dimension a.
        cost: size of that network divided by that of the base, as counted.
        ratio: size along dimension b with the same error, divided by that of the base; None
            where b does not reach that error within `reach`.
        low: end of the interval; None where it is out of reach.
        high: end of the interval; None where it is out of reach.
        reach: smallest and largest ratio that b's trials support.
        above: share of resamples in which b never becomes as good within reach.
        below: share of resamples in which b is already better at the smallest ratio.
        reason: why `ratio` is None, otherwise empty.
    """

    multiplier: float
    cost: float
    ratio: float | None
    low: float | None
    high: float | None
    reach: tuple[float, float]
    above: float
    below: float
    reason: str = ""

    def sentence(self, a: str, b: str) -> str:
        """State it in words, with the names of the dimensions."""
        under, over = f"< {self.reach[0]:.2f}", f"> {self.reach[1]:.2f}"
        low = (over if self.above > 0.9 else under) if self.low is None else f"{self.low:.2f}"
        high = (
            (under if self.below > 0.9 else over) if self.high is None else f"{self.high:.2f}"
        )
        worth = self.reason if self.ratio is None else f"x{self.ratio:.2f}"
        return (
            f"x{self.multiplier:g} in {a}, which costs x{self.cost:.2f}, buys what "
            f"{worth} in cost of {b} buys, 95 % [{low}, {high}]"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """Two dimensions with the same base, fitted and redrawn together.

    Args:
        points_a: trials along a with the base.
        laws: laws of the error along a and along b.
        drawn: thetas of both laws, (b, p) each, refitted to the same draws.
    """

    points_a: pd.DataFrame
    laws: tuple[Law, Law]
    drawn: tuple[Array, Array]


def paired(
    points_a: pd.DataFrame,
    points_b: pd.DataFrame,
    laws: tuple[Law, Law],
    *,
    rng: np.random.Generator,
    resamples: int = 1000,
) -> Pair:
    """Redraw the laws of two dimensions together, for exchange rates between them.

    Args:
        points_a: trials along a with the base.
        points_b: trials along b with the same base.
        laws: laws fitted to these trials; their forms may differ.
        rng: source of all draws.
        resamples: number of resamples.

    Raises:
        Refusal: there is no shared base.
    """
    frames = [points_a, points_b]
    check_base(frames)
    drawn = redrawn_together(list(laws), frames, resamples=resamples, rng=rng)
    return Pair(points_a=points_a, laws=laws, drawn=(drawn[0], drawn[1]))


def exchange(
    points_a: pd.DataFrame,
    points_b: pd.DataFrame,
    *,
    multiplier: float,
    form: Form,
    rng: np.random.Generator,
    resamples: int = 1000,
) -> Exchange:
    """Find the cost of dimension b that buys what a multiplier of dimension a buys.

    Both curves of error against size are fitted; the error of a at the size of its multiplied
    network is looked up on the curve of b. Resamples repeat all of this, with the same
    deviation of the base in both curves.

    Args:
        points_a: trials along a with the base.
        points_b: trials along b with the same base.
        multiplier: a multiplier that was trained along a.
        form: form of both curves.
        rng: source of all draws.
        resamples: number of resamples.

    Raises:
        Refusal: there is no shared base or no such multiplier, or a curve does not support a
            law.
    """
    check_base([points_a, points_b])
    size_at(points_a, multiplier)
    laws = (fit(points_a, form=form, delta=DELTA), fit(points_b, form=form, delta=DELTA))
    pair = paired(points_a, points_b, laws, rng=rng, resamples=resamples)
    return rate(pair, multiplier)


def rate(pair: Pair, multiplier: float) -> Exchange:
    """Find the exchange rate of a multiplier, as in `exchange`.

    Args:
        pair: from `paired`.
        multiplier: a multiplier that was trained along a.

    Raises:
        Refusal: there is no such multiplier.
    """
    base, bought = size_at(pair.points_a, 1.0), size_at(pair.points_a, multiplier)
    (law_a, law_b), drawn = pair.laws, pair.drawn
    wanted = law_a.errors(np.array([bought]))
    ratio = float(sizes_with(law_b, wanted, theta=law_b.theta[None])[0] / base)
    wanted_drawn = law_a.errors(np.array([bought]), theta=drawn[0])[:, 0]
    ratios = sizes_with(law_b, wanted_drawn, theta=drawn[1]) / base
    # Sizes out of reach are 0 or infinite, so percentiles must not interpolate between draws.
    low = float(np.quantile(ratios, 0.025, method="lower"))
    high = float(np.quantile(ratios, 0.975, method="higher"))
    reach = (law_b.smallest / REACH / base, law_b.largest * REACH / base)
    return Exchange(
        multiplier=multiplier,
        cost=bought / base,
        ratio=ratio if 0 < ratio < np.inf else None,
        low=low if 0 < low < np.inf else None,
        high=high if 0 < high < np.inf else None,
        reach=reach,
        above=float(np.isinf(ratios).mean()),
        below=float((ratios == 0).mean()),
        reason=_reason(ratio, reach),
    )


def _reason(ratio: float, reach: tuple[float, float]) -> str:
    if ratio == np.inf:
        return f">= x{reach[1]:.2f} (not reached within {REACH:g} x the largest size)"
    if ratio == 0:
        return f"<= x{reach[0]:.2f} (worse than half the smallest size)"
    return ""


def sizes_with(law: Law, errors: Array, *, theta: Array) -> Array:
    """Find the size at which each theta's curve has a given error.

    Args:
        law: provides form and range.
        errors: errors in percent (b,).
        theta: (b, p).

    Returns:
        Sizes (b,) within REACH; 0 where the curve is already better at the smallest size,
        infinite where it is still worse at the largest. Interpolated between 512 sizes,
        linearly in log-log.
    """
    grid = np.geomspace(law.smallest / REACH, law.largest * REACH, _GRID)
    curves = np.log(law.errors(grid, theta=theta))
    wanted, at = np.log(errors), np.log(grid)
    found = [
        np.interp(-goal, -curve, at, left=-np.inf, right=np.inf)
        for goal, curve in zip(wanted, curves, strict=True)
    ]
    return np.asarray(np.exp(found), dtype=np.float64)


def size_at(points: pd.DataFrame, multiplier: float) -> float:
    """Return the size of the network with a multiplier, or refuse."""
    if "multiplier" not in points:
        raise Refusal("no column multiplier", "say by how much each network is multiplied")
    sizes = points.loc[np.isclose(points["multiplier"], multiplier), "size"].unique()
    if len(sizes) != 1:
        known = ", ".join(f"{value:g}" for value in sorted(points["multiplier"].unique()))
        raise Refusal(
            f"multiplier {multiplier:g} has {len(sizes)} sizes, not one",
            f"ask for one that was trained: {known}",
        )
    return float(sizes[0])


def check_base(frames: list[pd.DataFrame]) -> None:
    """Refuse dimensions whose base rows, recipes or data differ."""
    for frame in frames:
        size_at(frame, 1.0)
    shown = ["network", "seed", "error", "epochs", "recipe", "data"]
    bases = [frame.loc[np.isclose(frame["multiplier"], 1.0), shown] for frame in frames]
    rows = [set(base.itertuples(index=False, name=None)) for base in bases]
    if not rows[0] or any(other != rows[0] for other in rows):
        raise Refusal(
            "the dimensions do not share one base",
            "give the same rows, with multiplier 1, in every frame",
        )
    of_network = pd.concat(frames).groupby("network")["multiplier"].nunique()
    if (of_network > 1).any():
        raise Refusal(
            f"network {of_network.idxmax()} stands in two dimensions with two multipliers",
            "give every network an id of its own",
        )


def redrawn_together(
    laws: list[Law], frames: list[pd.DataFrame], *, resamples: int, rng: np.random.Generator
) -> list[Array]:
    """Refit laws with a shared base to the same draws; return the thetas (b, p) of each."""
    parts = [stray(law, points) for law, points in zip(laws, frames, strict=True)]
    strayed = shared_deviations(frames, pooled(parts), draws=resamples, rng=rng)
    return [redrawn(*part) for part in zip(laws, frames, strayed, strict=True)]
