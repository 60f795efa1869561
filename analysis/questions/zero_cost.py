"""Computes how well scores of untrained networks rank them like their training does.

Input: a run that computed such scores. Output: Kendall's tau_b of each score, and of parameters
and multiply-adds, with the ranking metric; over all networks, and over pairs of equal
multiply-adds.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from analysis.questions.remedies import for_more_networks
from analysis.runs.networks import sound
from analysis.runs.run import Run, RunError
from analysis.runs.scores import lower_is_better
from analysis.statistics.intervals import Interval, StatisticsError
from analysis.statistics.matched_ranks import matched_correlation
from analysis.statistics.resampling import FEWEST_FOR_INTERVAL, rank_correlation
from search.schema.metrics import BASELINES

WITHIN = 0.1  # relative difference of multiply-adds that counts as equal
ALL, EQUAL = "all networks", "equal multiply-adds"
COLUMNS = (
    "score",
    "among",
    "networks",
    "tau",
    "low",
    "high",
    "low_all",
    "high_all",
    "seconds",
    "refused",
)


def scored_ranks(run: Run, *, level: float = 0.95) -> pd.DataFrame:
    """How well each score ranks networks like their training does.

    A higher score counts as better, and so does a higher tau: it is 1 where scores rank
    networks exactly as training does. Scores and results are means over the seeds of a network;
    only completed networks count.

    Args:
        run: finished or not.
        level: confidence level of the intervals over networks.

    Returns:
        COLUMNS: one row for each score and baseline (`search.schema.metrics.BASELINES`) among
        ALL networks, then among pairs of EQUAL multiply-adds (within WITHIN): `networks`, `tau`
        (Kendall's tau_b) with `low` and `high` of its single interval, `low_all` and `high_all`
        of the interval simultaneous for all rows (Bonferroni); `seconds` that the score took
        per network, missing for baselines; `refused`: why there is no tau, or empty.

    Raises:
        RunError: no score was computed, or fewer than eight networks were completed.
    """
    taken = run.plan.scores
    if not taken:
        raise RunError(
            f"{run.folder}: no untrained network was scored; run it with zero_cost: {{}}"
        )
    table = _means(run)
    if len(table) < FEWEST_FOR_INTERVAL:
        raise RunError(
            f"{run.folder}: {len(table)} network(s) were scored and trained whole, and ranks "
            f"are compared of {FEWEST_FOR_INTERVAL} or more; {for_more_networks(run)}"
        )
    rows = len(taken) * 2 + len(BASELINES) * 2
    found = [
        _row(table, score, among, levels=(level, 1 - (1 - level) / rows))
        for among in (ALL, EQUAL)
        for score in (*taken, *BASELINES)
    ]
    frame = pd.DataFrame(found, columns=list(COLUMNS))
    numbers = [one for one in COLUMNS if one not in ("score", "among", "networks", "refused")]
    frame = frame.astype(dict.fromkeys(numbers, float))
    seconds = {name: run.trials[f"{name}_seconds"].mean() for name in taken}
    return frame.assign(seconds=frame["score"].map(seconds).astype(float))


def training_seconds(run: Run) -> float:
    """Average seconds that a complete search trial took."""
    return float(run.whole()["seconds"].mean())


def _means(run: Run) -> pd.DataFrame:
    """One row per network: its scores and costs, and `worth`, where more is better."""
    whole = sound(run, run.whole())
    sign = -1.0 if lower_is_better(run.ranking) else 1.0
    values = whole[["name", *run.plan.scores, *BASELINES]]
    values = values.assign(worth=sign * whole[run.ranking.column])
    return values.groupby("name", sort=False).mean()


def _row(
    table: pd.DataFrame, score: str, among: str, *, levels: tuple[float, float]
) -> dict[str, object]:
    known = table.dropna(subset=[score])
    row: dict[str, object] = {"score": score, "among": among, "networks": len(known)}

    def correlated(level: float) -> Interval:
        a, b = known[score], known["worth"]
        if among == ALL:
            return rank_correlation(a, b, level=level)
        return matched_correlation(a, b, known["macs"], within=WITHIN, level=level)

    try:
        return row | dict(_numbers(correlated, levels)) | {"refused": ""}
    except StatisticsError as error:
        return row | {"refused": str(error)}


def _numbers(
    correlated: Callable[[float], Interval], levels: tuple[float, float]
) -> Iterator[tuple[str, float]]:
    for level, end in zip(levels, ("", "_all"), strict=True):
        found = correlated(level)
        low, high = found.ends()
        yield from {f"low{end}": low, f"high{end}": high}.items()
    yield from {"tau": found.estimate, "networks": found.n}.items()


def shows(row: "pd.Series[float]") -> bool:
    """Whether a row of `scored_ranks` differs from chance, by the simultaneous intervals."""
    ends = np.array([row["low_all"], row["high_all"]], dtype=float)
    return bool((ends > 0).all() or (ends < 0).all())
