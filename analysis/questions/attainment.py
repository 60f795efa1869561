"""Computes which trade-offs of two objectives seeds attain, from the front of each seed.

Input: a run with several seeds. Output: the empirical attainment surfaces over seeds (da
Fonseca, Fonseca and Hall 2001): what a quarter, half and three quarters of the seeds attain.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.questions.remedies import for_more_seeds
from analysis.runs.networks import sound
from analysis.runs.run import Run, RunError
from analysis.runs.scores import losses
from analysis.statistics.fronts import attainment, front
from search.schema.metrics import Objective
from search.schema.wording import how_many

FEWEST = 3  # seeds
SHARES = (0.25, 0.5, 0.75)


class Attained(NamedTuple):
    """The attainment surfaces over seeds.

    Attributes:
        surfaces: `share` of the seeds that attain the surface, and its corners by rising loss
            in the first objective, in the columns of both.
        trials: trials of the networks that have all seeds: `name`, `repeat`, both columns, and
            `on_front` (of its seed).
        objectives: the cost, or the second objective; and the ranking objective.
        seeds: number of seeds.
        networks: number of networks that were completed with each of them.
    """

    surfaces: pd.DataFrame
    trials: pd.DataFrame
    objectives: tuple[Objective, Objective]
    seeds: int
    networks: int

    @property
    def always(self) -> int:
        """Number of networks on the front of every seed."""
        return int((self._counts == self.seeds).sum())

    @property
    def sometimes(self) -> int:
        """Number of networks on the front of at least one seed."""
        return int((self._counts > 0).sum())

    @property
    def _counts(self) -> pd.Series:
        return self.trials.groupby("name")["on_front"].sum()


def attained(run: Run) -> Attained:
    """Compute the attainment surfaces of a run over its seeds.

    Each seed's front is taken from the same networks: those completed with every seed.

    Args:
        run: finished or not.

    Raises:
        RunError: there are not two objectives, or fewer than three seeds or two such networks.
    """
    if len(run.compared) != 2:
        raise RunError(
            f"{run.folder}: attainment surfaces are of two objectives, and there are "
            f"{len(run.compared)}; write two in search.objectives"
        )
    across = next(one for one in run.compared if one.name != run.ranking.name)
    pair = (across, run.ranking)
    columns = [one.column for one in pair]
    trials = _complete(run, columns)
    seeds, networks = trials["repeat"].nunique(), trials["name"].nunique()
    if seeds < FEWEST or networks < 2:
        were = "was" if networks == 1 else "were"
        raise RunError(
            f"{run.folder}: {how_many(networks, 'network')} {were} trained whole with each of "
            f"{how_many(seeds, 'seed')}, and a surface takes two networks with {FEWEST} seeds "
            "or more; "
            f"{for_more_seeds(run, wanted=FEWEST)}"
        )
    lost = np.stack([losses(one, trials[one.column]).to_numpy(dtype=float) for one in pair], 1)
    by_seed = [np.flatnonzero(trials["repeat"] == one) for one in trials["repeat"].unique()]
    on_front = np.zeros(len(trials), dtype=bool)
    for rows in by_seed:
        on_front[rows[front(lost[rows])]] = True
    signs = [1.0 if one.direction == "minimize" else -1.0 for one in pair]
    surfaces = [
        pd.DataFrame(corners * signs, columns=columns).assign(share=share)
        for share in SHARES
        for corners in [attainment([lost[rows] for rows in by_seed], share=share)]
    ]
    table = pd.concat(surfaces, ignore_index=True)[["share", *columns]]
    return Attained(table, trials.assign(on_front=on_front), pair, seeds, networks)


def _complete(run: Run, columns: list[str]) -> pd.DataFrame:
    """The complete trials of the networks that have one for every seed."""
    whole = run.whole()[["name", "repeat", *columns]].dropna()
    whole = sound(run, whole).drop_duplicates(["name", "repeat"])
    counts = whole.groupby("name")["repeat"].transform("size")
    return whole[counts == run.plan.search.seeds].reset_index(drop=True)
