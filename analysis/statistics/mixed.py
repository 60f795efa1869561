"""Estimates contrasts of network means under the model score = network + seed + noise.

Takes trials (network, seed, score) and weights of networks that add up to 0, such as those of
`search.design.contrasts`, and gives estimates with intervals and p to `analysis.questions`.

What a seed adds equally to all networks cancels in such a sum, so its noise is the residual of
the trials after removing networks and seeds: with 16 networks and 4 seeds this has 45 degrees
of freedom, where the spread of 4 sums, one per seed, has 3. Trials may be missing: the model is
fitted to the existing ones (least squares of an unbalanced two-way layout; Searle 1971, chapter
7), and no network or seed is left out because another trial failed.

Noise is pooled over networks where their spreads look equal; otherwise networks with a larger
spread get their own (`analysis.statistics.spreads`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from analysis.statistics.intervals import FloatArray, StatisticsError, checked, checked_level
from analysis.statistics.spreads import IntArray, alike, doubt_of, spreads_of

_ROUNDING = 1e-12
_SINGULAR = 1e-9  # a constant added to all seeds has an eigenvalue of 0


@dataclass(frozen=True, kw_only=True)
class Model:
    """The model fitted to scores of networks that share seeds.

    Attributes:
        networks: names, in the order of `means`.
        means: mean of each network, in the unit of the scores, as if all had all seeds.
        trials: number of trials of each network.
        seeds: number of distinct seeds.
        df: degrees of freedom of the noise.
        sigma: standard deviation of the noise, pooled over all networks; NaN if `df` is 0.
        squares: sum of squared residuals of each network.
        spreads: variance of the noise of each network.
        freedom: degrees of freedom of each of `spreads`; NaN where it is the pooled variance.
        pooled: whether all networks share one variance.
        parts: group of each network; networks of different groups share no seed, not even
            through other networks, and cannot be compared.
    """

    networks: tuple[str, ...]
    means: FloatArray
    trials: IntArray
    seeds: int
    df: int
    sigma: float
    squares: FloatArray
    spreads: FloatArray
    freedom: FloatArray
    pooled: bool
    parts: IntArray
    _at: IntArray
    _within: FloatArray  # (trials, seeds): seed indicator minus its network's mean
    _inverse: FloatArray  # (seeds, seeds)
    _shares: FloatArray  # (networks, seeds): share of a network's trials with each seed


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """Several weighted sums of networks' means.

    Attributes:
        value: value of each sum, in the unit of the scores.
        error: standard error of each sum; NaN where the data cannot give one.
        df: degrees of freedom of each error.
        correlation: (sums, sums) correlations of the errors.
    """

    value: FloatArray
    error: FloatArray
    df: FloatArray
    correlation: FloatArray

    @property
    def t(self) -> FloatArray:
        """Each sum divided by its error."""
        return self.value / self.error

    def reach(self, level: float = 0.95) -> FloatArray:
        """Half the width of the interval of each single sum."""
        quantile = stats.t.ppf((1 + checked_level(level)) / 2, self.df)
        return np.asarray(quantile * self.error, dtype=float)

    def p(self) -> FloatArray:
        """Two-sided p of each single sum: how often chance alone would be as far from 0."""
        return np.asarray(2 * stats.t.sf(np.abs(self.t), self.df), dtype=float)

    def p_same(self, margin: float) -> FloatArray:
        """Equivalence p: how often a true sum at the margin would appear as close to 0.

        The larger p of two one-sided tests (Schuirmann 1987). If it is below 0.05, the 90 %
        interval of the sum lies inside the margin.

        Args:
            margin: margin of equivalence, in the unit of the scores, above 0.
        """
        low = stats.t.sf((self.value + margin) / self.error, self.df)
        high = stats.t.cdf((self.value - margin) / self.error, self.df)
        return np.asarray(np.maximum(low, high), dtype=float)


def residuals(networks: Sequence[str], seeds: Sequence[Any], scores: FloatArray) -> FloatArray:
    """What network and seed leave of the scores of trials, as large as the noise itself.

    Args:
        networks: network of each trial.
        seeds: seed of each trial; equal values are the same seed.
        scores: (trials, metrics) scores.

    Returns:
        (n, metrics), for the n trials of networks with two or more; n is 0 where nothing is
        left but network and seed. What a fit leaves is smaller than the noise, and is enlarged
        accordingly.
    """
    frame = pd.DataFrame({"network": [*networks], "seed": [*seeds]})
    several = frame.groupby("network")["seed"].transform("size").to_numpy() > 1
    at, names = pd.factorize(frame.loc[several, "network"])
    seed, known = pd.factorize(frame.loc[several, "seed"])

    def centred(values: FloatArray) -> FloatArray:
        means = pd.DataFrame(values).groupby(at).transform("mean")
        return np.asarray(values - means.to_numpy(), dtype=float)

    within, left = centred(np.eye(len(known))[seed]), centred(scores[several])
    normal = within.T @ within
    left -= within @ (np.linalg.pinv(normal, rcond=_SINGULAR, hermitian=True) @ within.T @ left)
    rank = np.linalg.matrix_rank(normal, tol=_SINGULAR * max(len(left), 1), hermitian=True)
    df = len(left) - len(names) - int(rank)
    return left * np.sqrt(len(left) / df) if df > 0 else left[:0]


def fit(
    networks: Sequence[str],
    seeds: Sequence[Any],
    scores: Sequence[float],
    *,
    doubt: float | None = None,
) -> Model:
    """Fit score = network + seed + noise.

    Args:
        networks: network of each trial.
        seeds: seed of each trial; equal values are the same seed.
        scores: score of each trial.
        doubt: p below which the networks' spreads are taken to differ; None chooses it by the
            number of seeds.

    Raises:
        StatisticsError: a score is not finite, or there is no score.
    """
    values = checked(np.asarray(scores, dtype=float), name="scores")
    at, names = pd.factorize(np.asarray(networks, dtype=object))
    seed, known = pd.factorize(np.asarray(seeds))
    trials = np.bincount(at)
    shares = np.zeros((len(names), len(known)))
    np.add.at(shares, (at, seed), 1.0)
    shares /= trials[:, None]
    within = np.eye(len(known))[seed] - shares[at]
    inverse = np.asarray(
        np.linalg.pinv(within.T @ within, rcond=_SINGULAR, hermitian=True), dtype=float
    )
    by_seed = inverse @ (within.T @ values)
    means = np.bincount(at, values) / trials - shares @ by_seed
    rest = values - means[at] - by_seed[seed]
    parts = _parts(at, seed, len(names), len(known))
    df = len(values) - len(names) - len(known) + int(parts.max()) + 1
    noise = float(np.abs(values).max()) * _ROUNDING
    rest = np.where(np.abs(rest) > noise, rest, 0.0)
    squares = np.asarray(np.bincount(at, rest**2), dtype=float)
    sigma = float(np.sqrt(squares.sum() / df)) if df > 0 else float("nan")
    pooled = alike(
        squares, trials, df=df, doubt=doubt_of(len(known)) if doubt is None else doubt
    )
    spreads, freedom = (
        (np.full(len(names), sigma**2), np.full(len(names), np.nan))
        if pooled
        else spreads_of(squares, at, within, inverse, pooled=sigma**2)
    )
    return Model(
        networks=tuple(map(str, names)), means=means, trials=trials, seeds=len(known), df=df,
        sigma=sigma, squares=squares, spreads=spreads, freedom=freedom, pooled=pooled,
        parts=parts,
        _at=at, _within=within, _inverse=inverse, _shares=shares,
    )  # fmt: skip


def estimate(model: Model, weights: Sequence[Mapping[str, float]]) -> Estimates:
    """Estimate weighted sums of networks' means.

    Args:
        model: from `fit`.
        weights: weights of each sum, by network; they add up to 0.

    Returns:
        One number per sum. The errors are NaN where no network has two seeds, or where, up to
        rounding, trials differ only by a network and a seed effect.

    Raises:
        StatisticsError: a network has no trial, weights do not add up to 0, or networks share
            no seed.
    """
    table = _table(model, weights)
    reach = table / model.trials @ (model._shares * model.trials[:, None])  # (sums, seeds)
    per_trial = (table / model.trials)[:, model._at] - reach @ model._inverse @ model._within.T
    by_network = np.array(
        [np.bincount(model._at, row, minlength=len(model.networks)) for row in per_trial**2]
    )
    known = model.df > 0 and model.sigma > 0
    noise = model.spreads if known else np.full(len(model.networks), np.nan)
    variance = by_network @ noise
    covariance = (per_trial * noise[model._at]) @ per_trial.T
    error = np.sqrt(variance)
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = covariance / np.outer(error, error)
    return Estimates(
        value=table @ model.means,
        error=error,
        df=_freedom(model, by_network * noise),
        correlation=correlation,
    )


def estimable(model: Model, weights: Mapping[str, float]) -> str:
    """Why the trials cannot give a weighted sum of means; empty if they can."""
    used = {name: weight for name, weight in weights.items() if weight}
    missing = [name for name in used if name not in model.networks]
    if missing:
        return f"no trial of {', '.join(missing)} was trained to its end"
    by_part = np.zeros(int(model.parts.max()) + 1)
    for name, weight in used.items():
        by_part[model.parts[model.networks.index(name)]] += weight
    if np.abs(by_part).max() > 1e-9 * max(map(abs, used.values()), default=0.0):
        return "its networks share no seed, not even through others"
    return ""


def _table(model: Model, weights: Sequence[Mapping[str, float]]) -> FloatArray:
    place = {name: i for i, name in enumerate(model.networks)}
    table = np.zeros((len(weights), len(place)))
    for row, one in zip(table, weights, strict=True):
        why = estimable(model, one)
        if why:
            raise StatisticsError(f"weights of {', '.join(one)}: {why}; leave that sum out")
        for name, weight in one.items():
            if weight:
                row[place[name]] += weight
    return table


def _parts(at: IntArray, seed: IntArray, networks: int, seeds: int) -> IntArray:
    """Group networks that are connected through common seeds."""
    graph = coo_array(
        (np.ones(len(at)), (at, seed + networks)), shape=(networks + seeds, networks + seeds)
    )
    _, labels = connected_components(graph, directed=False)
    return np.unique(labels[:networks], return_inverse=True)[1].astype(np.int64)


def _freedom(model: Model, parts: FloatArray) -> FloatArray:
    """Degrees of freedom of each sum's error (Satterthwaite 1946).

    Args:
        model: the fit.
        parts: array (sums, networks): what each network adds to the variance.
    """
    if model.pooled:
        return np.full(len(parts), float(model.df))
    freedom = np.where(np.isnan(model.freedom), model.df, model.freedom)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = parts.sum(axis=1) ** 2 / (parts**2 / freedom).sum(axis=1)
    least = float(freedom.min())
    clipped: FloatArray = np.clip(np.nan_to_num(found, nan=least), least, float(model.df))
    return clipped
