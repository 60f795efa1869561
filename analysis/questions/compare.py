"""Compares several runs: what differs between them, and how far they agree.

Input: runs. Output: tables of the networks that they share, by name; of how well their rankings
agree; of the largest shifts; and of every setting in which the runs differ.

The ranking metric on the validation images is compared, for networks that were trained to their
end. If images or metrics differ, only ranks are compared.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.questions.looks import why_untested
from analysis.questions.shared import own
from analysis.runs.networks import networks
from analysis.runs.provenance import UNKNOWN, commit_of, hardware_of
from analysis.runs.run import Run, RunError
from analysis.runs.scores import losses, lower_is_better
from analysis.statistics.intervals import StatisticsError, checked_level
from analysis.statistics.pairing import each_against
from analysis.statistics.resampling import exact_p, rank_correlation
from res2net.file_names import printable_data
from search.study.differences import flat

FEWEST = 4  # networks needed to correlate ranks
_NOT_SET = "not set"
# A run's location and name say nothing about its results.
_LEFT_ASIDE = ("study", "candidates", "data.root", "data.cache", "data.damaged", "data.storage")
_LAST = "resources."  # where it ran, listed after what was run
SAME = "the same trials"
_AGREED = ("a", "b", "networks", "tau", "low", "high", "p_exact", "same", "refused")
_SHIFTED = ("name", "params", "macs", "rank_a", "rank_b", "rank_shift")
_MOVED = ("mean_a", "mean_b", "difference", "low", "high", "p", "p_all", "by")


def labels(runs: Sequence[Run]) -> list[str]:
    """A unique name for each run: its study, its folder, or the whole path."""
    ways = (
        [run.name for run in runs],
        [printable_data(run.folder.name) for run in runs],
        [printable_data(str(run.folder)) for run in runs],
    )
    return next((names for names in ways if len({*names}) == len(runs)), ways[-1])


def why_not_comparable(runs: Sequence[Run]) -> str:
    """Why the scores of runs may not be compared, only ranks; empty where they may."""
    if len({(run.data, run.left_out) for run in runs}) > 1:
        return "the runs saw different images"
    if len({(run.ranking.name, run.ranking.unit, run.ranking.direction) for run in runs}) > 1:
        return "the runs rank networks by different metrics"
    return ""


def comparable(runs: Sequence[Run]) -> bool:
    """Whether the scores of runs may be compared, and not only ranks."""
    return not why_not_comparable(runs)


def common(runs: Sequence[Run], *, level: float = 0.95) -> pd.DataFrame:
    """The networks that all runs have, with their mean score and rank in each run.

    Networks that lost a seed in a run are left out, because their remaining seeds are the
    better ones.

    Args:
        runs: two or more.
        level: confidence level of the t-intervals over seeds.

    Returns:
        `name`, `params`, `macs` (those of the first run), and for run number i `seeds_i`,
        `mean_i`, `low_i`, `high_i` (of its ranking metric on the validation images; NaN where
        there is no interval) and `rank_i` among these networks, from 1 for the best, with ties
        sharing their mean rank. Sorted by mean rank over the runs.

    Raises:
        RunError: a run has no network that was trained to its end, or the runs share none.
    """
    joined = pd.DataFrame()
    for number, run in enumerate(runs):
        every = networks(run, level=level)
        frame = _named_alike(every[every["failed"] == 0], runs)
        if frame.empty and len(every):
            raise RunError(
                f"{run.folder}: every network lost a seed, and what is left is of the better "
                "ones; run the study again, or leave it out"
            )
        if frame.empty:
            raise RunError(
                f"{run.folder}: no network was trained to its end, so there is nothing to "
                "compare; let the run go on, or leave it out"
            )
        mine = frame.set_index("name")[["seeds", "val_mean", "val_low", "val_high"]]
        mine.columns = pd.Index([f"{key}_{number}" for key in ("seeds", "mean", "low", "high")])
        sizes = frame.set_index("name")[["params", "macs"]]
        joined = joined.join(mine, how="inner") if number else sizes.join(mine)
    if joined.empty:
        raise RunError(
            f"{', '.join(str(run.folder) for run in runs)}: have no network in common (by "
            "name), so nothing can be compared; name runs of overlapping spaces"
        )
    for number, run in enumerate(runs):
        ascending = lower_is_better(run.ranking)
        joined[f"rank_{number}"] = joined[f"mean_{number}"].rank(ascending=ascending)
    ranks = joined[[f"rank_{number}" for number in range(len(runs))]]
    order = ranks.mean(axis=1).sort_values(kind="stable").index
    return joined.loc[order].rename_axis("name").reset_index()


def agreement(runs: Sequence[Run], *, level: float = 0.95) -> pd.DataFrame:
    """How well each two runs agree in ranking the networks that both have: Kendall's tau_b.

    Args:
        runs: two or more.
        level: confidence level of the interval over networks (see `rank_correlation`).

    Returns:
        One row per pair: `a`, `b` (labels), `networks`, `tau`, `low`, `high`, `p_exact` (if
        there are so few networks that all orders can be counted), `same`: the number of trials
        that both contain, which are left out, and `refused`: why there is no tau, or empty.
    """
    names = labels(runs)
    rows = []
    for i, j in combinations(range(len(runs)), 2):
        row: dict[str, Any] = {"a": names[i], "b": names[j], "tau": np.nan, "refused": ""}
        try:
            row |= _of_a_pair(runs[i], runs[j], level)
        except RunError:
            row |= {"networks": 0, "same": 0, "refused": "the two have no network in common"}
        rows.append(row)
    frame = pd.DataFrame(rows, columns=list(_AGREED))
    return frame.astype(dict.fromkeys(("tau", "low", "high", "p_exact"), float))


def shifts(first: Run, second: Run, *, level: float = 0.95) -> pd.DataFrame:
    """How each network that both runs have shifted from the first to the second.

    Args:
        first: the baseline run.
        second: the other run.
        level: confidence level of the intervals.

    Returns:
        `name`, `params`, `macs`, `rank_a`, `rank_b`, `rank_shift` (b minus a); and, only where
        their scores may be compared, `mean_a`, `mean_b`, `difference` (b minus a), `low`,
        `high`, `p`, `p_all`, and `by`: "paired" where the seeds are the same in both, else
        "Welch". Intervals and `p_all` are Bonferroni-corrected for all these networks, so that
        an interval excludes 0 exactly where `p_all` is below 1 minus the level. They are NaN
        where there is only one seed, which says nothing about chance. Trials that both runs
        contain are left out of the difference and its test; where none remains, `by` is "the
        same trials". The largest shift of rank comes first. Where a run is not finished, or
        seeds may be added after a look at the results, there are no intervals and no p:
        `attrs["untested"]` is the reason, and `attrs["several"]` tells whether all networks
        have two or more seeds in both.

    Raises:
        RunError: as `common`.
    """
    shared = common([first, second], level=level)
    frame = shared.rename(columns={"rank_0": "rank_a", "rank_1": "rank_b"})
    frame["rank_shift"] = frame["rank_b"] - frame["rank_a"]
    columns, untested = list(_SHIFTED), ""
    if comparable([first, second]):
        frame = frame.rename(columns={"mean_0": "mean_a", "mean_1": "mean_b"})
        frame = frame.join(_moved((first, second), frame["name"], level=level), on="name")
        frame["by"] = frame["by"].fillna(SAME)
        columns += _MOVED
        untested = why_untested(first, second)
        if untested:
            frame[["low", "high", "p", "p_all"]] = np.nan
    order = frame["rank_shift"].abs().sort_values(ascending=False, kind="stable").index
    moved = frame.loc[order, columns].reset_index(drop=True)
    several = (shared[["seeds_0", "seeds_1"]] > 1).all(axis=None)
    moved.attrs |= {"untested": untested, "several": bool(several)}
    return moved


def differences(runs: Sequence[Run]) -> pd.DataFrame:
    """Every setting in which the runs differ: data, recipe, budget, seeds, versions, machines.

    Args:
        runs: two or more.

    Returns:
        `setting`, and `value_i` for run number i, as in its manifest. Versions and machines are
        those of all starts of a run.
    """
    described = [dict(_described(run)) for run in runs]
    keys = dict.fromkeys(key for one in described for key in one)
    rows = [
        (key, *(one.get(key, _NOT_SET) for one in described))
        for key in keys
        if len({one.get(key, _NOT_SET) for one in described}) > 1
    ]
    return pd.DataFrame(rows, columns=["setting", *(f"value_{i}" for i in range(len(runs)))])


def _named_alike(frame: pd.DataFrame, runs: Sequence[Run]) -> pd.DataFrame:
    """Drop the number of classes from names if runs differ in it; the networks are the same."""
    if len({run.plan.data.classes for run in runs}) == 1:
        return frame
    return frame.assign(name=frame["name"].str.replace(r"_\d+classes$", "", regex=True))


def _of_a_pair(first: Run, second: Run, level: float) -> dict[str, Any]:
    """Agreement on trials in only one of two runs, as a shared trial agrees with itself."""
    shared, sides = common([first, second]), own(first, second)
    same = len(first.whole()) - len(sides[0])
    if same:
        means = [
            _named_alike(rows, (first, second)).groupby("name")[run.ranking.column].mean()
            for rows, run in zip(sides, (first, second), strict=True)
        ]
        kept = pd.concat(means, axis=1, join="inner", keys=["mean_0", "mean_1"])
        shared = kept.loc[kept.index.isin(shared["name"])]
    found: dict[str, Any] = {"networks": len(shared), "same": same}
    if same and shared.empty:
        return found | {"refused": f"these are {SAME}"}
    if len(shared) < FEWEST:
        apart = " with trials of their own in both" if same else ""
        count = len(shared)
        networks_are = f"network{'s' * (count != 1)}{apart} {'is' if count == 1 else 'are'}"
        why = f"{count} common {networks_are} fewer than {FEWEST}"
        return found | {"refused": why}
    lost = [losses(run.ranking, shared[f"mean_{i}"]) for i, run in enumerate((first, second))]
    try:
        interval = rank_correlation(*lost, level=level)
    except StatisticsError as error:
        return found | {"refused": str(error)}
    found |= {"tau": interval.estimate, "low": interval.low, "high": interval.high}
    return found | {"p_exact": exact_p(*lost)}


def _moved(runs: tuple[Run, Run], names: pd.Series, *, level: float) -> pd.DataFrame:
    """The difference of each network by name, with Bonferroni-corrected intervals and p."""
    a, b = (_named_alike(rows, runs) for rows in own(*runs))
    frame = each_against(b, a, column=runs[0].ranking.column)
    frame = frame[frame.index.isin(names)]
    m = max(int(frame["error"].notna().sum()), 1)
    away = (1 - checked_level(level)) / m
    reach = stats.t.ppf(1 - away / 2, frame["df"]) * frame["error"]
    p = 2 * stats.t.sf((frame["difference"] / frame["error"]).abs(), frame["df"])
    return frame.assign(
        low=frame["difference"] - reach,
        high=frame["difference"] + reach,
        p=p,
        p_all=np.minimum(p * m, 1.0),
    )


def _described(run: Run) -> Iterator[tuple[str, str]]:
    settings = {
        key: str(value)
        for key, value in flat(run.plan.model_dump(mode="json"))
        if key not in _LEFT_ASIDE
    }
    yield from ((key, value) for key, value in settings.items() if not key.startswith(_LAST))
    yield "images left out", str(len(run.left_out))
    for part in run.manifest.parts:
        yield f"{part.key}: {part.name}", part.version or part.digest or UNKNOWN
    yield from ((key, value) for key, value in settings.items() if key.startswith(_LAST))
    yield "git commit", _all([commit_of(start) for start in run.starts])
    yield "python", _all([str(start.get("python", UNKNOWN)) for start in run.starts])
    packages = dict.fromkeys(name for start in run.starts for name in start.get("versions", ()))
    for name in packages:
        numbers = [start.get("versions", {}).get(name, UNKNOWN) for start in run.starts]
        yield f"version of {name}", _all(numbers)
    yield "hardware", _all([hardware_of(start) for start in run.starts])
    devices = run.trials["device"].dropna().replace("", UNKNOWN)
    yield "device of the trials", ", ".join(sorted(set(devices))) or UNKNOWN


def _all(values: list[str]) -> str:
    """Join the values of all starts of a run, each only once."""
    return "; ".join(dict.fromkeys(values)) or UNKNOWN
