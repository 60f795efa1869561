"""Computes what searches had found after each trial: the best score, and the front's area.

Go in: one run or several of one space, such as searches that were repeated. Comes out: a tidy
table, for curves over trials and over device-hours.
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
_MARKS = 40  # places beside those where something is found
ORDERS = 0.9  # share of random orders that the range holds


def anytime(runs: Sequence[Run], *, labels: Sequence[str]) -> pd.DataFrame:
    """The best of what ranks and the hypervolume after each trial that ended.

    Trials count in the order in which they reported their last epochs, however they ended. A
    network counts from its first whole trial on with the mean of all its seeds, as it was
    known in the end: single seeds would show the luckiest. Networks that lost a seed are left
    out, as in `analysis.runs.networks.averaged`.

    Args:
        runs: that rank by the same metric and count the same cost.
        labels: of the runs, for `label`.

    Returns:
        COLUMNS: `trials` and `hours` (of a device) so far, the `networks` that are whole, the
        `best` of them in the unit of what ranks, and `hypervolume`: the area that
        they dominate in what ranks and cost, where 0 is the best of all runs and 1 the worst,
        the reference point. Where the networks are a sample of the space, `low` and `high` are
        what 90 % of the orders of its own networks have as the best after so many; else
        missing. Rows are places where either changes, and about 40 others.

    Raises:
        RunError: a run has no network that was trained whole.
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
    """Of trials in the order of their ends, and `points`: the networks, as they were whole."""

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
    """Labels of the trials by their last epochs; by number where some reported none."""
    reported = run.epochs["trial"].drop_duplicates(keep="last")
    place = pd.Series(range(len(reported)), index=reported.to_numpy())
    places = trials["trial"].map(place)
    if places[trials["status"] == "ok"].isna().any():
        return trials.index
    # A trial that failed before its first epoch ended about when the one before it did.
    return places.ffill().fillna(-1).sort_values(kind="stable").index


def _scaled(values: pd.Series, every: np.ndarray) -> np.ndarray:
    """From 0, the best of all, to 1; where all are alike there is nothing to gain."""
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
