"""Overlays the score distributions of several runs, and tests each pair.

Input: runs whose networks are random samples of their spaces. Output: curves with bands, as
sampled and at equal complexity, and Kolmogorov-Smirnov distances (Radosavovic et al. 2019 and
2020).
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator

from analysis.questions.compare import labels, why_not_comparable
from analysis.questions.remedies import for_more_networks
from analysis.questions.sampling import is_stratified, is_whole, no_sample
from analysis.questions.shared import shared
from analysis.runs.networks import averaged
from analysis.runs.run import Run, RunError
from analysis.runs.scores import losses
from analysis.statistics.complexity import bootstrap_band, neighbours
from analysis.statistics.edf import dkw_band, edf, ks
from analysis.statistics.intervals import StatisticsError, holm
from analysis.statistics.matched import matched_ks
from search.schema.wording import how_many

FEWEST = 10
_MORE_SEEDS = 1.25  # from this ratio on, means scatter differently
_STEPS = 1_000_000  # networks times resamples: more take seconds
SAMPLED, EQUAL = "as sampled", "at equal complexity"
_TESTED = ("a", "b", "kind", "n_a", "n_b", "distance", "gap", "p", "p_holm", "refused")


def curves(runs: Sequence[Run], *, rng: Generator) -> pd.DataFrame:
    """The distribution of the ranking metric in each run, as sampled and at equal complexity.

    Args:
        runs: two or more runs whose networks are random samples of their spaces, or of each
            size.
        rng: draws the bands at equal complexity.

    Returns:
        `label`, `kind`, `value` of the ranking metric, `fraction` of the networks that are at
        least as good, `low` and `high` of a simultaneous 95 % band for the whole curve. As
        sampled, the band is that of Dvoretzky, Kiefer and Wolfowitz; at equal complexity it is
        bootstrapped, using the networks within the range of multiply-adds covered by all runs,
        for runs with ten or more networks there.

    Raises:
        RunError: the runs may not be compared, one is not a random sample, or all drew sizes
            uniformly and none has ten networks of the sizes covered by all; states the reason.
    """
    _checked(runs)
    low, high = _common_range(runs)
    frames = []
    for run, label in zip(runs, labels(runs), strict=True):
        networks = averaged(run)
        lost = losses(run.ranking, networks["val"]).to_numpy(dtype=float)
        if not is_stratified(run):
            half, plain = dkw_band(len(lost)), edf(lost)
            plain["low"] = (plain["fraction"] - half).clip(lower=0)
            plain["high"] = (plain["fraction"] + half).clip(upper=1)
            frames.append(plain.assign(label=label, kind=SAMPLED))
        inside = networks["macs"].between(low, high).to_numpy()
        if inside.sum() < FEWEST:
            continue
        strata = neighbours(networks["macs"][inside])
        band = bootstrap_band(lost[inside], rng=rng, bins=strata.places, weights=strata.weights)
        frames.append(band.assign(label=label, kind=EQUAL))
    if not frames:
        raise RunError(
            "sizes were drawn alike in each run, so that only networks of equal complexity "
            f"compare, and no run has {FEWEST} or more within the range of multiply-adds that "
            "all runs reach; name runs whose budgets overlap, or let more end"
        )
    found = pd.concat(frames, ignore_index=True)
    found["value"] = losses(runs[0].ranking, found["error"])
    return found[["label", "kind", "value", "fraction", "low", "high"]]


def distances(runs: Sequence[Run], *, rng: Generator) -> pd.DataFrame:
    """Test whether each two runs have one distribution, as sampled and at equal complexity.

    Args:
        runs: as for `curves`.
        rng: draws the swaps within matched pairs.

    Returns:
        Two rows per pair of runs: `a`, `b`, `kind`, `n_a` and `n_b` (numbers of networks; at
        equal complexity, of matched pairs), `distance` (the largest between the two curves),
        `gap` (the smallest distance that is significant in a single 5 % test), `p`, `p_holm`
        over all rows, and `refused`: why there is no test, or empty.

    Raises:
        RunError: as for `curves`.
    """
    _checked(runs)
    names, networks = labels(runs), [averaged(run) for run in runs]
    rows: list[dict[str, Any]] = []
    for i, j in combinations(range(len(runs)), 2):
        same = len(shared(runs[i], runs[j]))
        lost = [losses(runs[k].ranking, networks[k]["val"]).to_numpy() for k in (i, j)]
        for kind in (SAMPLED, EQUAL):
            row: dict[str, Any] = {"a": names[i], "b": names[j], "kind": kind, "refused": ""}
            other = _other_seeds(runs[i], runs[j])
            if same:
                row["refused"] = f"they have {how_many(same, 'trial')} in common"
            elif other:
                row["refused"] = other
            elif kind == SAMPLED and any(map(is_stratified, (runs[i], runs[j]))):
                row["refused"] = "sizes were drawn alike, and not as the space has them"
            elif kind == SAMPLED:
                row |= _plain(lost)
            else:
                row |= _matched(lost, [networks[k]["macs"].to_numpy() for k in (i, j)], rng)
            rows.append(row)
    frame = pd.DataFrame(rows, columns=list(_TESTED))
    tested = frame["p"].notna()
    frame.loc[tested, "p_holm"] = holm(frame.loc[tested, "p"].tolist())
    return frame.astype(dict.fromkeys(("distance", "gap", "p", "p_holm"), float))


def _other_seeds(first: Run, second: Run) -> str:
    """Why their means differ by more than their networks; empty where the seeds are alike.

    What a seed adds to all networks of a run shifts its whole distribution: where that is a
    quarter of the variance between seeds, the test finds a difference between equal spaces in
    42 % of studies (2,000 simulated, 100 networks with one seed each). Means of fewer seeds
    scatter more: one seed against three, 200 networks that differ half as much as seeds: 52 %.
    """
    seeds = [{*run.whole()["seed"]} for run in (first, second)]
    counts = [float(averaged(run)["seeds"].mean()) for run in (first, second)]
    if seeds[0] == seeds[1] and max(counts) < _MORE_SEEDS * min(counts):
        return ""
    return (
        "they have other seeds, which move or widen a distribution as another space would; "
        "give both as many, with the same search.seed"
    )


def critical_gap(n: int, m: int, *, level: float = 0.95) -> float:
    """The smallest distance between two EDFs that is significant.

    Args:
        n: number of networks of the first.
        m: number of networks of the second.
        level: 1 minus the share of tests that find a difference where there is none.

    Returns:
        sqrt(log(2 / (1 - level)) / 2) sqrt((n + m) / (n m)), for large n and m (Smirnov 1948):
        the width of Dvoretzky, Kiefer and Wolfowitz with n m / (n + m) in place of n; 0.192 for
        100 and 100.
    """
    return float(dkw_band(1, level) * np.sqrt((n + m) / (n * m)))


def _checked(runs: Sequence[Run]) -> None:
    why = why_not_comparable(runs)
    if why:
        raise RunError(f"{why}; name runs of the same data and metric")
    for run, label in zip(runs, labels(runs), strict=True):
        why = no_sample(run, of_sizes=True)
        drawn = {"uniform", "stratified"} & run.manifest.sampler_traits
        if not why and (not drawn or is_whole(run)):
            why = (
                f"its sampler was {run.plan.search.sampler.name}, which tried all candidates, "
                "so that chance has no part in which networks it has; run a larger space with "
                "sampler: random, and fewer trials than it has networks"
            )
        if why:
            raise RunError(f"{label}: its networks are no random sample: {why}")
        n = len(averaged(run))
        if n < FEWEST:
            raise RunError(
                f"{label}: {n} network(s) trained whole are fewer than {FEWEST}; "
                f"{for_more_networks(run)}"
            )


def _common_range(runs: Sequence[Run]) -> tuple[float, float]:
    costs = [averaged(run)["macs"] for run in runs]
    return max(float(one.min()) for one in costs), min(float(one.max()) for one in costs)


def _plain(lost: Sequence[np.ndarray]) -> dict[str, Any]:
    found, sizes = ks(*lost), [len(one) for one in lost]
    counts = {"n_a": sizes[0], "n_b": sizes[1], "gap": critical_gap(*sizes)}
    return counts | {"distance": found.statistic, "p": found.p}


def _matched(
    lost: Sequence[np.ndarray], macs: Sequence[np.ndarray], rng: Generator
) -> dict[str, Any]:
    try:
        draws = int(np.clip(_STEPS / len(lost[0]), 500, 2000))
        found, pairs = matched_ks(lost, macs, rng=rng, resamples=draws)
    except StatisticsError as error:
        return {"refused": str(error)}
    return {"n_a": pairs, "n_b": pairs, "distance": found.statistic, "p": found.p}
