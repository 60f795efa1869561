"""Computes the expected best of k networks of a run: what more trials would bring.

Input: a run whose networks are a sample. Output: a curve over the number of networks.
"""

import pandas as pd
from numpy.random import Generator

from analysis.questions.remedies import for_more_networks
from analysis.questions.sampling import is_whole, no_sample
from analysis.runs.networks import averaged
from analysis.runs.run import Run, RunError
from analysis.runs.scores import losses, lower_is_better
from analysis.statistics.best_of import expected_best, expected_best_band, sizes

_FEWEST = 2


def expected(run: Run, *, rng: Generator) -> pd.DataFrame:
    """The expected best of k networks, on the validation images, for k from 1 to all.

    Args:
        run: a run whose networks are a sample of the space; a network's seeds are averaged.
        rng: draws the band.

    Returns:
        `k`, `expected`, `low` and `high` in the unit of the ranking metric: the unbiased
        estimate and its 95 % interval at each k (`analysis.statistics.best_of`). Some k have no
        interval; where all candidates were tried, none has one. For more than 60 networks, k
        rises by even factors.

    Raises:
        RunError: the networks are not a sample of the space, or fewer than two; states the
            reason.
    """
    reason, networks = no_sample(run), averaged(run)
    if not reason and len(networks) < _FEWEST:
        reason = (
            f"{len(networks)} was trained whole and lost no seed, and it takes {_FEWEST}; "
            f"{for_more_networks(run)}"
        )
    if reason:
        raise RunError(f"{run.folder}: what the best is expected to be is not said: {reason}")
    lost, counts = losses(run.ranking, networks["val"]), sizes(len(networks))
    if not is_whole(run):
        found = expected_best_band(lost, counts, rng=rng)
    else:
        found = pd.DataFrame({"k": counts, "expected": expected_best(lost, counts)})
        found = found.assign(low=float("nan"), high=float("nan"))
    if lower_is_better(run.ranking):
        return found
    return found.assign(expected=-found["expected"], low=-found["high"], high=-found["low"])
