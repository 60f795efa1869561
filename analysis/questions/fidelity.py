"""Computes how well cheap scores rank networks like expensive ones, and the noise ceiling.

Input: a run. Output: rank correlations of validation and test, and of early epochs and the end;
and the noise ceiling: the correlation of two independent sets of as many seeds.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.questions.remedies import for_more_networks, for_more_seeds
from analysis.runs.run import Run, RunError
from analysis.runs.scores import losses, words
from analysis.statistics.components import ceiling
from analysis.statistics.intervals import Interval, StatisticsError
from analysis.statistics.resampling import exact_p, rank_correlation
from search.schema.wording import how_many

FEWEST = 4  # networks needed to correlate ranks
_FRACTIONS = (8, 4, 2)  # divisors of the length
_MOST_RUNGS = 6  # with more, trials were stopped at any epoch
_TOP, _TOP_SHARE = 5, 0.1
COLUMNS = (
    "ranks",
    "epoch",
    "networks",
    "tau",
    "low",
    "high",
    "p_exact",
    "top",
    "found",
    "by_chance",
    "refused",
)


class Rungs(NamedTuple):
    """Epochs at which trials are compared.

    Attributes:
        epochs: epochs in rising order, each before the last epoch.
        last: the last epoch of complete trials; 0 where none reported one.
        of_scheduler: whether trials were stopped at these epochs; otherwise they are shares of
            the length.
    """

    epochs: tuple[int, ...]
    last: int
    of_scheduler: bool


def rungs(run: Run) -> Rungs:
    """The epochs where the scheduler stopped trials, or 1/8, 1/4 and 1/2 of the length."""
    trials = run.trials[run.trials["phase"] == "search"]
    last = int(run.whole()["epochs"].max()) if len(run.whole()) else 0
    pruned = trials.loc[trials["status"] == "pruned", "epochs"].dropna().unique()
    stopped = sorted({int(epoch) for epoch in pruned if 0 < epoch < last})
    if 0 < len(stopped) <= _MOST_RUNGS:
        return Rungs(tuple(stopped), last, True)
    early = {max(1, round(last / part)) for part in _FRACTIONS}
    return Rungs(tuple(sorted(epoch for epoch in early if epoch < last)), last, False)


def fidelity(run: Run, *, level: float = 0.95) -> pd.DataFrame:
    """How well scores available earlier rank networks like the final score.

    Scores are means over the seeds of a network. Only complete trials count, so where trials
    were stopped early, the result refers to those that continued. Of trials of several
    lengths, early epochs are compared among the longest.

    Args:
        run: finished or not.
        level: confidence level of the intervals over networks.

    Returns:
        COLUMNS: one row for validation and test, and one for each rung (`rungs`) and the end:
        `ranks` in words, `epoch` (missing in the first row), `networks`, `tau` (Kendall's
        tau_b) with `low`, `high` or `p_exact` (`analysis.statistics.resampling`). With ten or
        more networks: `found`, how many of the `top` best at the end are among as many best
        earlier, and `by_chance`, how many would be by chance. `refused`: why there is no tau,
        or empty.

    Raises:
        RunError: fewer than four networks were completed.
    """
    whole = run.whole()
    if whole["name"].nunique() < FEWEST:
        raise RunError(
            f"{run.folder}: {whole['name'].nunique()} network(s) were trained whole, and ranks "
            f"are compared of {FEWEST} or more; {for_more_networks(run)}"
        )
    rows = [_correlated(one, level=level) for one in _pairs(run, whole)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    numbers = ("epoch", "tau", "low", "high", "p_exact", "top", "found", "by_chance")
    return frame.astype(dict.fromkeys(numbers, float))


def noise_ceiling(run: Run, *, level: float = 0.95) -> Interval:
    """The tau that two independent sets of as many seeds would have, given the seed noise.

    Args:
        run: finished or not.
        level: confidence level.

    Raises:
        RunError: the seeds say nothing about chance; states what to do.
    """
    whole = run.whole()
    scores = whole[run.ranking.column].astype(float)
    try:
        return ceiling(
            whole["name"].tolist(), whole["repeat"].tolist(), scores.tolist(), level=level
        )
    except StatisticsError as error:
        if whole["name"].value_counts().max() == 1:
            raise RunError(
                "each network has one seed, which says nothing of how far another would rank "
                f"them otherwise; {for_more_seeds(run)}"
            ) from error
        raise RunError(str(error)) from error


class _Pair(NamedTuple):
    ranks: str
    epoch: float
    early: pd.Series
    late: pd.Series


def _pairs(run: Run, whole: pd.DataFrame) -> Iterator[_Pair]:
    """Pairs of scores to correlate, as losses by network name."""
    names = whole["name"]
    end = losses(run.ranking, whole[run.ranking.column]).groupby(names).mean()
    test = losses(run.tested, whole[run.tested.column]).groupby(names).mean()
    yield _Pair(f"{words(run.ranking)} and {words(run.tested)}", np.nan, end, test)
    asked = rungs(run)
    longest = whole[whole["epochs"] == asked.last]
    end = losses(run.ranking, longest[run.ranking.column]).groupby(longest["name"]).mean()
    reported = run.epochs[run.epochs["epoch"].isin(asked.epochs)] if asked.epochs else None
    for epoch in asked.epochs:
        assert reported is not None
        then = reported[reported["epoch"] == epoch].set_index("trial")[run.ranking.column]
        early = losses(run.ranking, longest["trial"].map(then).astype(float))
        said = f"epoch {epoch:,} and the end (epoch {asked.last:,})"
        yield _Pair(said, epoch, early.groupby(longest["name"]).mean(), end)


def _correlated(pair: _Pair, *, level: float) -> dict[str, object]:
    both = pd.concat([pair.early, pair.late], axis=1, keys=["early", "late"]).dropna()
    row: dict[str, object] = {"ranks": pair.ranks, "epoch": pair.epoch, "networks": len(both)}
    if len(both) < FEWEST:
        known = how_many(len(both), "network")
        return row | {"refused": f"both are known of {known}, fewer than {FEWEST}"}
    try:
        interval = rank_correlation(both["early"], both["late"], level=level)
        p = exact_p(both["early"], both["late"])
    except StatisticsError as error:
        return row | {"refused": str(error)}
    row |= {"tau": interval.estimate, "low": interval.low, "high": interval.high, "refused": ""}
    return row | {"p_exact": p} | _top(both)


def _top(both: pd.DataFrame) -> dict[str, object]:
    """Count how many of the best at the end were among the best earlier."""
    top = max(_TOP, round(_TOP_SHARE * len(both)))
    if len(both) < 2 * top:
        return {}
    early, late = (set(both[side].nsmallest(top).index) for side in ("early", "late"))
    return {"top": top, "found": len(early & late), "by_chance": top**2 / len(both)}
