"""The networks of a run: what all trials of one network say together.

Goes in: a `Run`. Come out: a row a network with its mean errors and their intervals, and the
trials with each network's whole ones made one, which figures and the report read.
"""

import numpy as np
import pandas as pd

from analysis.runs.pareto import accuracy_vs_macs
from analysis.runs.run import Run
from analysis.statistics.intervals import t_interval

_OF_A_NETWORK = ("name", "skeleton", "depth", "width", "scale", "cardinality")
COLUMNS = (
    *_OF_A_NETWORK,
    "params",
    "macs",
    "seeds",
    "val_mean",
    "val_low",
    "val_high",
    "test_mean",
    "test_low",
    "test_high",
    "on_front",
)
DIMENSIONS = ("depth", "width", "scale", "cardinality", "se", "skeleton")
_SIDES = {"val": "val_error_pct", "test": "test_error_pct"}


def networks(run: Run, *, phase: str = "search", level: float = 0.95) -> pd.DataFrame:
    """Errors of each network over its seeds, the lowest on the validation images first.

    Args:
        run: finished or not; trials that were not trained to their end are left aside.
        phase: "search" or "confirm".
        level: of the t-intervals over seeds.

    Returns:
        COLUMNS: errors in percent; the ends of an interval are NaN where one seed, or seeds
        that are all equal, say nothing of chance; `on_front` of means (`analysis.runs.pareto`).
    """
    whole = run.whole(phase)
    frame = whole.drop_duplicates("name").set_index("name", drop=False)
    frame["seeds"] = whole["name"].value_counts()
    for side, column in _SIDES.items():
        frame[f"{side}_mean"] = whole.groupby("name")[column].mean()
        frame[[f"{side}_low", f"{side}_high"]] = np.nan
    # Only where there is one to have: of 10,000 networks of one seed it takes seconds to ask.
    several = whole[whole["name"].isin(frame.index[frame["seeds"] > 1])]
    for name, members in several.groupby("name", sort=False):
        for side, column in _SIDES.items():
            frame.loc[name, [f"{side}_low", f"{side}_high"]] = _ends(members[column], level)
    front = accuracy_vs_macs(_means(whole))
    best = set(front.loc[front["on_front"].astype(bool), "name"])
    frame["on_front"] = frame["name"].isin(best)
    ranked = frame.reset_index(drop=True).sort_values(["val_mean", "macs"])
    return ranked[list(COLUMNS)].reset_index(drop=True)


def averaged(run: Run) -> pd.DataFrame:
    """One row a network: its dimensions, costs and mean errors over its whole trials."""
    keys = ["name", *DIMENSIONS, "params", "macs", "activations"]
    errors = ["val_error_pct", "test_error_pct"]
    whole = run.whole()
    means = whole.groupby(keys, sort=False)[errors].mean()
    seeds = whole.groupby(keys, sort=False).size().rename("seeds")
    return means.join(seeds).reset_index()


def by_network(run: Run) -> pd.DataFrame:
    """Trials of the search, but one row for all the whole trials of a network: their mean.

    A front of single trials would hold the luckiest seed of a network, so what is drawn are
    means. Trials that were stopped early stay as they are.

    Args:
        run: finished or not.

    Returns:
        As `analysis.runs.tables.trials`.
    """
    trials = run.trials[run.trials["phase"] == "search"]
    return pd.concat([_means(run.whole()), trials[trials["status"] != "ok"]])


def _means(whole: pd.DataFrame) -> pd.DataFrame:
    """Whole trials of one phase as those of the search: the first, with the mean error."""
    means = whole.groupby("name", sort=False)["val_error_pct"].transform("mean")
    merged = whole.assign(val_error_pct=means, phase="search")
    return merged.drop_duplicates("name")


def _ends(errors: pd.Series, level: float) -> list[float]:
    """Of the interval of a mean over seeds; NaN where there is none."""
    known = errors.dropna()
    if known.empty:
        return [np.nan, np.nan]
    interval = t_interval(known, level=level)
    return [np.nan if end is None else end for end in (interval.low, interval.high)]
