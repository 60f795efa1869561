"""Estimates how often a network of one run is better than one of another.

Input: runs of the same data and metric. Output: the chance for each two runs (Agarwal et al.
2021), on the networks that both have, otherwise on random pairs; and the share of trainings at
least as good as each score. Networks that lost a seed are left out, because their remaining
seeds are the better ones.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator

from analysis.questions.compare import SAME, labels, why_not_comparable
from analysis.questions.sampling import no_sample
from analysis.questions.shared import own
from analysis.runs.networks import averaged, sound
from analysis.runs.run import Run, RunError
from analysis.runs.scores import losses
from analysis.statistics.improvement import FEWEST, chance_of_pairs, chance_on_shared, profile
from analysis.statistics.intervals import StatisticsError
from search.schema.wording import how_many

SHARED, PAIRS = "networks in both", "random pairs"
_COLUMNS = ("a", "b", "kind", "n_a", "n_b", "chance", "low", "high", "refused")
_STEPS = 120  # points of a profile


def improvements(runs: Sequence[Run], *, rng: Generator) -> pd.DataFrame:
    """The chance that each run is better than each later one.

    Args:
        runs: two or more.
        rng: draws networks.

    Returns:
        One row per pair: `a`, `b`, `kind` ("networks in both" if there are five or more with
        separate trials in each: the chance that one training of a network in a is better than
        one of the same network in b; otherwise "random pairs", if both are random samples),
        `n_a`, `n_b` (numbers of networks), `chance`, `low`, `high` (95 %), and `refused`: why
        there is no chance, or empty.

    Raises:
        RunError: the runs may not be compared; states the reason.
    """
    why = why_not_comparable(runs)
    if why:
        raise RunError(f"{why}; name runs of the same data and metric")
    names = labels(runs)
    rows = [
        {"a": names[i], "b": names[j], "refused": ""} | _of(runs[i], runs[j], rng=rng)
        for i, j in combinations(range(len(runs)), 2)
    ]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    return frame.astype(dict.fromkeys(("chance", "low", "high"), float))


def profiles(runs: Sequence[Run], *, rng: Generator) -> pd.DataFrame:
    """The share of trainings at least as good as each score, for networks that all runs have.

    Args:
        runs: as for `improvements`.
        rng: draws networks.

    Returns:
        `label`, `value` of the ranking metric, `share`, `low`, `high` (a simultaneous 95 % band
        for the whole profile), `networks`; empty if the runs have fewer than five networks in
        common.
    """
    wholes = [sound(run, run.whole()) for run in runs]
    common = set.intersection(*(set(whole["name"]) for whole in wholes))
    columns = ["label", "value", "share", "low", "high", "networks"]
    if len(common) < FEWEST:
        return pd.DataFrame(columns=columns)
    groups = [_by_network(run, whole, common) for run, whole in zip(runs, wholes, strict=True)]
    every = np.unique(np.concatenate([row for group in groups for row in group.values()]))
    taus = every if every.size <= _STEPS else np.quantile(every, np.linspace(0, 1, _STEPS))
    frames = []
    for run, label, group in zip(runs, labels(runs), groups, strict=True):
        found = profile(list(group.values()), taus, rng=rng)
        frames.append(
            found.assign(
                label=label, networks=len(common), value=losses(run.ranking, found["tau"])
            )
        )
    return pd.concat(frames, ignore_index=True)[columns]


def _of(first: Run, second: Run, *, rng: Generator) -> dict[str, Any]:
    a, b = own(first, second)
    copied = len(a) < len(first.whole())
    a, b = sound(first, a), sound(second, b)
    both = {*a["name"]} & {*b["name"]}
    if copied and len(both) < FEWEST:
        return {"refused": f"these are {SAME}, or too few are left without those"}
    try:
        if len(both) >= FEWEST:
            sides = [_by_network(run, rows, both) for run, rows in ((first, a), (second, b))]
            found = chance_on_shared(
                *([side[name] for name in sorted(both)] for side in sides), rng=rng
            )
            counts = {"kind": SHARED, "n_a": len(both), "n_b": len(both)}
        else:
            why = no_sample(first) or no_sample(second)
            if why:
                few = (
                    f"they have {how_many(len(both), 'network')} in common, fewer than {FEWEST}"
                )
                return {"refused": f"{few}, and for random pairs one is no sample: {why}"}
            lost = [losses(run.ranking, averaged(run)["val"]) for run in (first, second)]
            found = chance_of_pairs(*lost, rng=rng)
            counts = {"kind": PAIRS, "n_a": len(lost[0]), "n_b": len(lost[1])}
    except StatisticsError as error:
        return {"refused": str(error)}
    return counts | {"chance": found.estimate, "low": found.low, "high": found.high}


def _by_network(run: Run, rows: pd.DataFrame, names: set[str]) -> dict[str, np.ndarray]:
    """The losses of the trials of each network, by its name."""
    kept = rows[rows["name"].isin(names)]
    values = losses(run.ranking, kept[run.ranking.column].astype(float))
    return {
        str(name): group.to_numpy() for name, group in values.groupby(kept["name"], sort=True)
    }
