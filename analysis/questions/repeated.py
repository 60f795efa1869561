"""Averages what repeated searches, which differ by seed, had found after each trial.

Input: runs, some of which are the same search with different seeds. Output: the mean of each
search's best score and hypervolume by number of trials, with intervals over its repeats.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.questions.anytime import anytime
from analysis.questions.compare import differences, labels, why_not_comparable
from analysis.questions.shared import shared
from analysis.runs.run import Run, RunError
from analysis.statistics.best_of import sizes
from analysis.statistics.intervals import t_interval
from search.schema.wording import how_many

FEWEST = 3
_MOST = 60  # points of a curve
_SEED = "search.seed"
_WHERE = ("resources.", "version of ", "git commit", "python", "hardware", "device of")
COLUMNS = (
    "search", "repeats", "trials", "best", "best_low", "best_high", "hypervolume", "area_low",
    "area_high",
)  # fmt: skip


def repeats(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Group runs by search: those of one search differ only in seed and where they ran.

    Args:
        runs: in any order.

    Returns:
        Runs by a unique name of each search: its sampler, plus the first run's label where two
        searches have the same sampler.
    """
    groups: list[list[Run]] = []
    for run in runs:
        place = next((group for group in groups if not _differing(group[0], run)), None)
        if place is None:
            groups.append([run])
        else:
            place.append(run)
    named = dict(zip(map(id, runs), labels(runs), strict=True))
    samplers = [group[0].plan.search.sampler.name for group in groups]
    return {
        name if samplers.count(name) == 1 else f"{name}, {named[id(group[0])]}": group
        for name, group in zip(samplers, groups, strict=True)
    }


def curves(runs: Sequence[Run]) -> pd.DataFrame:
    """The mean best score and hypervolume of each repeated search after each trial.

    Args:
        runs: runs of one data set and metric; searches with fewer than three repeats are left
            out.

    Returns:
        COLUMNS, for searches with three or more repeats: at each number of `trials` that all
        repeats reached, the mean of what the repeats had found, and the ends of its 95 %
        t-interval over repeats (NaN where all are equal). Hypervolume has the same scale for
        all.

    Raises:
        RunError: no search has three repeats, two are the same trials, the runs may not be
            compared, or one has no completed network.
    """
    why = why_not_comparable(runs)
    if why:
        raise RunError(f"{why}; name runs of the same data and metric")
    groups = {name: group for name, group in repeats(runs).items() if len(group) >= FEWEST}
    if not groups:
        raise RunError(_too_few(runs))
    for name, group in groups.items():
        _check_apart(name, group)
    kept = [(name, run) for name, group in groups.items() for run in group]
    numbers = [str(place) for place in range(len(kept))]
    found = anytime([run for _, run in kept], labels=numbers)
    rows: list[dict[str, Any]] = []
    for name in groups:
        mine = [
            number for number, (search, _) in zip(numbers, kept, strict=True) if search == name
        ]
        rows += _averaged(name, [found[found["label"] == number] for number in mine])
    return pd.DataFrame(rows, columns=list(COLUMNS))


def left_out(runs: Sequence[Run]) -> dict[str, int]:
    """Searches with too few repeats, and the number of repeats of each.

    Args:
        runs: as for `curves`.
    """
    return {name: len(group) for name, group in repeats(runs).items() if len(group) < FEWEST}


def _differing(first: Run, second: Run) -> list[str]:
    """Settings in which two runs differ, other than the seed and where they ran."""
    settings = differences([first, second])["setting"]
    return [one for one in settings if one != _SEED and not one.startswith(_WHERE)]


def _too_few(runs: Sequence[Run]) -> str:
    most = max(len(group) for group in repeats(runs).values())
    count = "1 run of one search is" if most == 1 else f"{most} runs of one search are"
    why = f"{count} fewer than {FEWEST}"
    apart = _differing(runs[0], runs[1]) if len(runs) > 1 else []
    if apart:
        why += f" (the first two differ in {', '.join(apart[:4])})"
    return f"{why}; repeat it with --set search.seed=1, 2 and so on, all else the same"


def _check_apart(name: str, group: Sequence[Run]) -> None:
    for place, run in enumerate(group):
        for other in group[:place]:
            count = len(shared(other, run))
            if count:
                raise RunError(
                    f"{other.folder} and {run.folder}: they have {how_many(count, 'trial')} in "
                    f"common, and a copy is no repeat of {name}; name one of the two"
                )
            if other.plan.search.seed == run.plan.search.seed:
                raise RunError(
                    f"{other.folder} and {run.folder}: both have search.seed "
                    f"{run.plan.search.seed}, and a repeat of {name} has another; name one of "
                    "the two"
                )


def _averaged(name: str, found: Sequence[pd.DataFrame]) -> list[dict[str, Any]]:
    first = max(int(rows["trials"].iloc[0]) for rows in found)
    last = min(int(rows["trials"].iloc[-1]) for rows in found)
    if last < first:
        raise RunError(
            f"{name}: a repeat ended before another had its first network; let all go on"
        )
    at = np.array(sizes(last - first + 1, most=_MOST)) + first - 1
    values = {
        key: np.array([_steps(rows, key, at) for rows in found])
        for key in ("best", "hypervolume")
    }
    rows = []
    for place, trials in enumerate(at.tolist()):
        row: dict[str, Any] = {"search": name, "repeats": len(found), "trials": trials}
        for key, ends in (("best", "best"), ("hypervolume", "area")):
            interval = t_interval(values[key][:, place])
            row[key] = interval.estimate
            row[f"{ends}_low"], row[f"{ends}_high"] = interval.ends()
        rows.append(row)
    return rows


def _steps(rows: pd.DataFrame, key: str, at: np.ndarray) -> np.ndarray:
    """What a search had found after each number of trials: the last row up to it."""
    places = np.searchsorted(rows["trials"].to_numpy(), at, side="right") - 1
    return np.asarray(rows[key].to_numpy(dtype=float)[places])
