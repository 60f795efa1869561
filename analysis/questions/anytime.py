"""Computes what searches had found after each trial: best score and the front's hypervolume.

Input: one run, or several of one space, such as repeated searches. Output: a tidy table for
curves over trials and over device-hours.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.questions.sampling import no_sample
from analysis.runs.networks import sound
from analysis.runs.run import Run, RunError
from analysis.runs.scores import losses
from analysis.statistics.best_of import best_of_orders, sizes
from analysis.statistics.hypervolume import growing

COLUMNS = ("label", "trials", "hours", "networks", "best", "low", "high", "hypervolume")
_MARKS = 40  # rows besides those where something is found
ORDERS = 0.9  # share of random orders that the range covers


def anytime(runs: Sequence[Run], *, labels: Sequence[str]) -> pd.DataFrame:
    """The best value of the ranking metric and the hypervolume after each ended trial.

    Trials are ordered by when they reported their last epochs, however they ended. A network
    counts from its first complete trial on, with the final mean of all its seeds: single seeds
    would show the luckiest. Networks that lost a seed are left out, as in
    `analysis.runs.networks.averaged`.

    Args:
        runs: runs that rank by the same metric and count the same cost.
        labels: labels of the runs, for the column `label`.

    Returns:
        COLUMNS: `trials` and `hours` (of a device) so far, the number of complete `networks`,
        the `best` of them in the unit of the ranking metric, and `hypervolume`: the area that
        they dominate in ranking metric and cost, where 0 is the best of all runs and 1 the
        worst, which is the reference point. Where the networks are a sample of the space, `low`
        and `high` are the range of the best after as many networks in 90 % of the orders of the
        run's own networks; otherwise they are missing. There is a row wherever either changes,
        and about 40 others.

    Raises:
        RunError: a run has no network that was completed.
    """
    searches = [_search(run) for run in runs]
    lost = np.concatenate([one.points["lost"] for one in searches])
    cost = np.concatenate([one.points["cost"] for one in searches])
    frames = []
    for run, label, one in zip(runs, labels, searches, strict=True):
        scaled = np.column_stack(
            [_scaled(one.points["lost"], lost), _scaled(one.points["cost"], cost)]
        )
        frames.append(_curve(run, one, growing(scaled)).assign(label=label))
    return pd.concat(frames, ignore_index=True)[list(COLUMNS)]


class _Search(NamedTuple):
    """Arrays over trials in order of ending; `points` are networks in order of completion."""

    hours: np.ndarray
    networks: np.ndarray
    points: pd.DataFrame


def _search(run: Run) -> _Search:
    trials = run.trials[(run.trials["phase"] == "search") & (run.trials["status"] != "running")]
    trials = trials.loc[_order(run, trials)]
    whole = trials[trials["trial"].isin(run.whole()["trial"])]
    whole = sound(run, whole)
    if whole.empty:
        raise RunError(
            f"{run.folder}: no network was trained whole without losing a seed, so nothing was "
            "found; let some end"
        )
    means = whole.groupby("name")[run.ranking.column].mean()
    first = whole.drop_duplicates("name")
    points = pd.DataFrame(
        {
            "lost": losses(run.ranking, first["name"].map(means)),
            "cost": losses(run.cost_axis, first[run.cost_axis.column].astype(float)),
        }
    )
    hours = trials["seconds"].astype(float).fillna(0).cumsum() * run.device_share[0] / 3600
    counted = trials["trial"].isin(first["trial"]).cumsum()
    return _Search(hours.to_numpy(), counted.to_numpy(), points.reset_index(drop=True))


def _order(run: Run, trials: pd.DataFrame) -> pd.Index:
    """Index of the trials in order of their last epochs; by number if some reported none."""
    reported = run.epochs["trial"].drop_duplicates(keep="last")
    place = pd.Series(range(len(reported)), index=reported.to_numpy())
    places = trials["trial"].map(place)
    if places[trials["status"] == "ok"].isna().any():
        return trials.index
    # A trial that failed before its first epoch ended at about the same time as the one before.
    return places.ffill().fillna(-1).sort_values(kind="stable").index


def _scaled(values: pd.Series, every: np.ndarray) -> np.ndarray:
    """Scale from 0, the best of all, to 1; all are 1 if all are equal, with nothing to gain."""
    span = every.max() - every.min()
    return np.asarray((values - every.min()) / span if span else np.ones(len(values)))


def _curve(run: Run, search: _Search, areas: np.ndarray) -> pd.DataFrame:
    best = search.points["lost"].cummin().to_numpy()
    has = search.networks > 0
    at = search.networks - 1
    frame = pd.DataFrame({"trials": np.arange(1, len(at) + 1), "hours": search.hours})
    frame["networks"] = search.networks
    frame["best"] = np.where(has, best[at], np.nan)
    frame["hypervolume"] = np.where(has, areas[at], 0.0)
    frame = frame[has].reset_index(drop=True)
    found = frame[["best", "hypervolume"]].diff().ne(0).any(axis=1)
    places = np.array(sizes(len(frame), most=_MARKS)) - 1
    frame = frame[found | frame.index.isin(places)].reset_index(drop=True)
    frame[["low", "high"]] = np.nan
    if not no_sample(run):
        ranked = np.sort(search.points["lost"].to_numpy())
        ranges = best_of_orders(len(ranked), frame["networks"].tolist(), level=ORDERS)
        frame["low"], frame["high"] = ranked[ranges["low"]], ranked[ranges["high"]]
    for side in ("best", "low", "high"):
        frame[side] = losses(run.ranking, frame[side])
    return frame
