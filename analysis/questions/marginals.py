"""Computes marginals of a run: the best and the mean over networks for each dimension value."""

import pandas as pd

from analysis.runs.networks import averaged, present
from analysis.runs.run import Run
from analysis.runs.scores import lower_is_better
from analysis.statistics.intervals import t_interval

_MOST_VALUES = 12  # of a dimension; more are binned, or the rarest merged


def best_by_value(run: Run) -> pd.DataFrame:
    """The best network for each value of each dimension that varied.

    Args:
        run: its complete trials are used, averaging the seeds of a network.

    Returns:
        One row for each dimension and value, in order: `dimension`, `value`, `networks`, and
        for the best: `name`, `macs`, `params`, and `val` and `test`, the ranking metric on the
        validation and the test images.
    """
    columns = ["name", "macs", "params", "val", "test"]
    rows: list[dict[str, object]] = []
    for dimension, value, members in _groups(averaged(run)):
        ranked = members.sort_values(
            "val", ascending=lower_is_better(run.ranking), kind="stable"
        )
        row = {"dimension": dimension, "value": value, "networks": len(members)}
        best = ranked[columns].head(1).to_dict("records")[0]
        rows.append(row | {str(key): found for key, found in best.items()})
    return pd.DataFrame(rows, columns=["dimension", "value", "networks", *columns])


def marginals(run: Run, *, level: float = 0.95) -> pd.DataFrame:
    """The mean ranking metric over all networks with each value of each dimension.

    The mean is over everything else that was sampled with that value. Within a range of
    multiply-adds these are different networks for each value, not the same ones with one
    change.

    Args:
        run: its complete trials are used, averaging the seeds of a network.
        level: confidence level of the t-interval over networks.

    Returns:
        `dimension`, `value`, `networks`, `mean`, `low`, `high` (NaN for a single network),
        `median_macs`.
    """
    rows = []
    for dimension, value, members in _groups(averaged(run)):
        interval = t_interval(members["val"], level=level)
        rows.append(
            {
                "dimension": dimension,
                "value": value,
                "networks": interval.n,
                "mean": interval.estimate,
                "low": interval.low,
                "high": interval.high,
                "median_macs": members["macs"].median(),
            }
        )
    columns = ["dimension", "value", "networks", "mean", "low", "high", "median_macs"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"low": float, "high": float})


def _groups(networks: pd.DataFrame) -> list[tuple[str, object, pd.DataFrame]]:
    """List dimension, value and networks; a dimension with many values is binned."""
    found: list[tuple[str, object, pd.DataFrame]] = []
    for dimension in present(networks):
        values = networks[dimension]
        if values.nunique() < 2:
            continue
        for value, members in _binned(networks, values).groupby("_value", sort=True):
            found.append((dimension, value, members))
    return found


def _binned(networks: pd.DataFrame, values: pd.Series) -> pd.DataFrame:
    if values.nunique() <= _MOST_VALUES:
        return networks.assign(_value=values)
    if not pd.api.types.is_integer_dtype(values):
        kept = values.value_counts().index[: _MOST_VALUES - 1]
        return networks.assign(_value=values.astype(object).where(values.isin(kept), "others"))
    bins = pd.qcut(values, 8, duplicates="drop")
    shown = [f"{int(one.left) + 1} to {int(one.right)}" for one in bins.cat.categories]
    return networks.assign(_value=bins.cat.rename_categories(shown))
