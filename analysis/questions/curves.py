"""Computes learning curves of a run, for all trials together and for the best networks.

Input: a `Run`. Output: tables that `analysis.plots.curves` draws and the report shows.
"""

import pandas as pd

from analysis.runs.networks import networks
from analysis.runs.run import Run

BAND_COLUMNS = ("epoch", "trials", "median", "low", "high", "between")
BEST_COLUMNS = ("name", "epoch", "seeds", "mean")
PERCENTILES = "5 and 95 %"
EXTREMES = "lowest and highest"
_FEWEST = 20  # trials needed for a 5 % percentile that is not below the lowest


def band(run: Run) -> pd.DataFrame:
    """The median and a band over the trials of the search that reached each epoch.

    Where trials were stopped early, later epochs contain only those that continued: the better
    ones.

    Args:
        run: finished or not; running trials count up to their current epoch.

    Returns:
        BAND_COLUMNS, one row per epoch, for the ranking metric on the validation images. `low`
        and `high` are the 5 and 95 % percentiles if there are 20 or more trials, otherwise the
        lowest and the highest value, as fewer trials have no such percentile; `between` says
        which.
    """
    column = run.ranking.column
    epochs = run.epochs.astype({"epoch": int, column: float})
    search = run.trials.loc[run.trials["phase"] == "search", "trial"]
    values = epochs[epochs["trial"].isin(search)].groupby("epoch")[column]
    frame = pd.DataFrame({"trials": values.count(), "median": values.median()})
    many = frame["trials"] >= _FEWEST
    low, high = values.quantile(0.05), values.quantile(0.95)
    frame["low"] = low.where(many, values.min())
    frame["high"] = high.where(many, values.max())
    frame["between"] = [PERCENTILES if enough else EXTREMES for enough in many]
    return frame.reset_index()[list(BAND_COLUMNS)]


def best(run: Run, *, top: int = 3) -> pd.DataFrame:
    """The ranking metric of the best networks by epoch: the mean over their complete trials.

    Args:
        run: finished or not.
        top: number of networks, selected by the mean after the last epoch.

    Returns:
        BEST_COLUMNS, the best network first, each by rising epoch.
    """
    names = networks(run)["name"].head(top).tolist()
    whole = run.whole()
    chosen = whole[whole["name"].isin(names)][["trial", "name"]]
    joined = run.epochs.merge(chosen, on="trial")
    groups = joined.groupby(["name", "epoch"])[run.ranking.column]
    frame = groups.agg(seeds="count", mean="mean").reset_index()
    place = frame["name"].map(names.index) if len(frame) else frame["epoch"]
    order = frame.assign(place=place).sort_values(["place", "epoch"])
    return order[list(BEST_COLUMNS)].reset_index(drop=True)
