"""Several runs beside each other: what differs between them, and how far they agree.

Go in: runs. Come out: tables of the networks that they share, by name; of how alike they rank
them; of the largest shifts; and of every setting in which the runs differ.

What is compared is the validation error of networks that were trained to their end. Errors
on different images are not compared at all, only ranks.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from analysis.runs.networks import networks
from analysis.runs.provenance import UNKNOWN, commit_of, hardware_of
from analysis.runs.run import Run, RunError
from analysis.statistics.intervals import StatisticsError, holm
from analysis.statistics.pairing import against
from analysis.statistics.resampling import rank_correlation

FEWEST = 4  # networks of which ranks are correlated
_SECTIONS = ("data", "budget", "network", "training", "search", "scheduler", "confirm")
_NOT_SET = "not set"
# Where a run lay and what it was called says nothing of its results.
_LEFT_ASIDE = ("data.root", "data.cache", "data.damaged", "data.storage")
_AGREED = ("a", "b", "networks", "tau", "low", "high", "refused")
_SHIFTED = ("name", "params", "macs", "rank_a", "rank_b", "rank_shift")
_MOVED = ("error_a", "error_b", "difference", "low", "high", "p", "p_holm", "by")


def labels(runs: Sequence[Run]) -> list[str]:
    """A name for each run that no other has: its study, its folder, or the whole path."""
    ways = (
        [run.name for run in runs],
        [run.folder.name for run in runs],
        [str(run.folder) for run in runs],
    )
    return next((names for names in ways if len({*names}) == len(runs)), ways[-1])


def same_data(runs: Sequence[Run]) -> bool:
    """Whether all runs saw the same images, so that their errors may be compared."""
    return len({(run.data, run.left_out) for run in runs}) == 1


def common(runs: Sequence[Run], *, level: float = 0.95) -> pd.DataFrame:
    """The networks that all runs have, with their mean error and rank in each.

    Args:
        runs: two or more.
        level: of the t-intervals over seeds.

    Returns:
        `name`, `params`, `macs` (those of the first run), and for the run at place i
        `seeds_i`, `mean_i`, `low_i`, `high_i` (errors in percent; NaN where there is no
        interval) and `rank_i`, from 1 among these networks, ties sharing their mean rank;
        by rising mean rank.

    Raises:
        RunError: a run has no network that was trained to its end, or they share none.
    """
    joined = pd.DataFrame()
    for place, run in enumerate(runs):
        frame = _named_alike(networks(run, level=level), runs)
        if frame.empty:
            raise RunError(
                f"{run.folder}: no network was trained to its end, so there is nothing to "
                "compare; let the run go on, or leave it out"
            )
        mine = frame.set_index("name")[["seeds", "val_mean", "val_low", "val_high"]]
        mine.columns = pd.Index([f"{key}_{place}" for key in ("seeds", "mean", "low", "high")])
        sizes = frame.set_index("name")[["params", "macs"]]
        joined = joined.join(mine, how="inner") if place else sizes.join(mine)
    if joined.empty:
        raise RunError(
            f"{', '.join(str(run.folder) for run in runs)}: have no network in common (by "
            "name), so nothing can be compared; name runs of overlapping spaces"
        )
    for place in range(len(runs)):
        joined[f"rank_{place}"] = joined[f"mean_{place}"].rank()
    ranks = joined[[f"rank_{place}" for place in range(len(runs))]]
    order = ranks.mean(axis=1).sort_values(kind="stable").index
    return joined.loc[order].rename_axis("name").reset_index()


def agreement(runs: Sequence[Run], *, level: float = 0.95) -> pd.DataFrame:
    """How alike each two runs rank the networks that both have: Kendall's tau_b.

    Args:
        runs: two or more.
        level: of the interval over networks (see `rank_correlation`).

    Returns:
        A row a pair: `a`, `b` (labels), `networks`, `tau`, `low`, `high`, and `refused`: why
        there is no tau, or empty.
    """
    names = labels(runs)
    rows = []
    for i, j in combinations(range(len(runs)), 2):
        row: dict[str, Any] = {"a": names[i], "b": names[j], "tau": np.nan, "refused": ""}
        try:
            shared = common([runs[i], runs[j]])
            row["networks"] = len(shared)
            row |= _tau(shared, level)
        except RunError:
            row |= {"networks": 0, "refused": "the two have no network in common"}
        except StatisticsError as error:
            row["refused"] = str(error)
        rows.append(row)
    frame = pd.DataFrame(rows, columns=list(_AGREED))
    return frame.astype(dict.fromkeys(("tau", "low", "high"), float))


def shifts(first: Run, second: Run, *, level: float = 0.95) -> pd.DataFrame:
    """How each network that both runs have moved from the first to the second.

    Args:
        first: the one that is counted from.
        second: the other.
        level: of the intervals.

    Returns:
        `name`, `params`, `macs`, `rank_a`, `rank_b`, `rank_shift` (b less a); and, only where
        both saw the same images, `error_a`, `error_b`, `difference` (b less a, points of
        validation error), `low`, `high`, `p`, `p_holm` over all these networks, and `by`:
        "paired" where the seeds are the same in both, else "Welch". NaN where one seed says
        nothing of chance. The largest shift of rank first.

    Raises:
        RunError: as `common`.
    """
    shared = common([first, second], level=level)
    frame = shared.rename(columns={"rank_0": "rank_a", "rank_1": "rank_b"})
    frame["rank_shift"] = frame["rank_b"] - frame["rank_a"]
    columns = list(_SHIFTED)
    if same_data([first, second]):
        frame = frame.rename(columns={"mean_0": "error_a", "mean_1": "error_b"})
        moved = pd.DataFrame(
            [_moved(name, (first, second), level=level) for name in frame["name"]]
        )
        tested = moved["p"].notna()
        moved["p_holm"] = np.nan
        moved.loc[tested, "p_holm"] = holm(moved.loc[tested, "p"].tolist())
        frame = pd.concat([frame, moved], axis=1)
        columns += _MOVED
    order = frame["rank_shift"].abs().sort_values(ascending=False, kind="stable").index
    return frame.loc[order, columns].reset_index(drop=True)


def differences(runs: Sequence[Run]) -> pd.DataFrame:
    """Every setting in which the runs differ: data, recipe, budget, seeds, versions, machines.

    Args:
        runs: two or more.

    Returns:
        `setting`, and `value_i` for the run at place i, as their manifests have it. Of
        versions and machines all of a run's starts count.
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
    """Names without the number of classes where that differs: the network is the same."""
    if len({run.facts.classes for run in runs}) == 1:
        return frame
    return frame.assign(name=frame["name"].str.replace(r"_\d+classes$", "", regex=True))


def _tau(shared: pd.DataFrame, level: float) -> dict[str, Any]:
    if len(shared) < FEWEST:
        return {"refused": f"{len(shared)} common networks are fewer than {FEWEST}"}
    interval = rank_correlation(shared["mean_0"], shared["mean_1"], level=level)
    return {"tau": interval.estimate, "low": interval.low, "high": interval.high}


def _moved(name: str, runs: tuple[Run, Run], *, level: float) -> dict[str, Any]:
    every = [_named_alike(run.whole(), runs) for run in reversed(runs)]
    sides = [whole[whole["name"] == name] for whole in every]
    tested, by = against(sides[0], sides[1], column="val_error_pct", level=level)
    interval = tested.difference
    low, high = (np.nan if end is None else end for end in (interval.low, interval.high))
    return {
        "difference": interval.estimate,
        "low": low,
        "high": high,
        "p": np.nan if tested.p is None else tested.p,
        "by": by,
    }


def _described(run: Run) -> Iterator[tuple[str, str]]:
    for section in _SECTIONS:
        for key, value in _flat(run.config.get(section), section):
            if key not in _LEFT_ASIDE:
                yield key, str(value)
    yield "images left out", str(len(run.left_out))
    for key, value in _flat(run.config.get("resources"), "resources"):
        yield key, str(value)
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
    """Of all starts of a run, each once."""
    return "; ".join(dict.fromkeys(values)) or UNKNOWN


def _flat(data: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _flat(value, f"{name}.{key}")
    else:
        yield name, data
