"""Finds the knee of a run's Pareto front, and how certain it is that it is this network."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.random import Generator

from analysis.runs.networks import sound
from analysis.runs.run import Run
from analysis.runs.scores import losses
from analysis.statistics.fronts import knee
from analysis.statistics.intervals import FloatArray
from analysis.statistics.mixed import residuals

_DRAWS = 500


class Knee(NamedTuple):
    """The network beyond which gains in one objective cost the most in the other.

    Attributes:
        name: name of the network; empty if there is no knee.
        share: share of seed redraws in which the same network is the knee; NaN where seeds say
            nothing about chance.
        said: a sentence stating which network it is and how certainly, or why there is none.
    """

    name: str
    share: float
    said: str

    @property
    def label(self) -> str:
        """Label for a figure."""
        return "knee" if np.isnan(self.share) else f"knee\nin {self.share:.0%} of redraws"


def knee_of(run: Run, *, seed: int = 0) -> Knee:
    """Find the knee of the front of means over seeds, for two objectives.

    Seeds are redrawn as follows: for a network with n seeds, the mean of n random deviations is
    added to its mean. The deviations are what the effects of network and seed leave of each
    trial: what a seed adds to all networks alike moves the whole front.

    Args:
        run: finished or not; networks with a failed trial are left out.
        seed: seed of the draws.
    """
    if len(run.compared) != 2:
        return Knee("", np.nan, f"The knee is of two objectives; here are {len(run.compared)}.")
    whole = sound(run, run.whole())
    table = pd.DataFrame(
        {one.name: losses(one, whole[one.column].astype(float)) for one in run.compared}
    )
    table, names = table.dropna(), whole["name"][table.notna().all(axis=1)]
    groups = table.groupby(names, sort=False)
    means, counts = groups.mean(), np.asarray(groups.size(), dtype=float)
    at = knee(means.to_numpy()) if len(means) else None
    if at is None:
        why = "it has fewer than three networks, or bends nowhere towards the better side"
        return Knee("", np.nan, f"The front has no knee: {why}.")
    name = str(means.index[at])
    # Counted objectives, and those measured once for all seeds, do not change in a redraw.
    seeds = whole.loc[table.index, "repeat"].tolist()
    varies = [one.source == "reported" for one in run.compared]
    pool = residuals(list(names), seeds, table.to_numpy()) * varies
    rng = np.random.default_rng(seed)
    share = _share(means.to_numpy(), at, pool, counts, rng=rng) if len(pool) else np.nan
    sure = (
        "one seed each does not say how surely"
        if np.isnan(share)
        else f"it is the same network in {share:.0%} of {_DRAWS} redraws of the seeds"
    )
    said = f"The knee of the front, farthest from the line between its ends, is {name}: {sure}."
    return Knee(name, share, said)


def _share(
    points: FloatArray, at: int, pool: FloatArray, counts: FloatArray, *, rng: Generator
) -> float:
    """How often the same network is the knee when random deviations are added to the means."""
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(int)
    same = 0
    for _ in range(_DRAWS):
        drawn = pool[rng.integers(len(pool), size=int(counts.sum()))]
        moved = np.add.reduceat(drawn, starts, axis=0) / counts[:, None]
        same += knee(points + moved) == at
    return same / _DRAWS
