"""A run by the values of its dimensions: the best network of each, and how all of them did."""

import pandas as pd

from analysis.runs.networks import DIMENSIONS
from analysis.statistics.intervals import t_interval


def best_by_value(networks: pd.DataFrame) -> pd.DataFrame:
    """The best network of each value of each dimension that varied.

    Args:
        networks: from `analysis.runs.networks.averaged`.

    Returns:
        A row for each dimension and value, in order: `dimension`, `value`, `networks`, and of
        the best: `name`, `macs`, `params`, `val_error_pct`, `test_error_pct`.
    """
    columns = ["name", "macs", "params", "val_error_pct", "test_error_pct"]
    rows: list[dict[str, object]] = []
    for dimension, value, members in _groups(networks):
        best = members.nsmallest(1, "val_error_pct")[columns].to_dict("records")[0]
        row = {"dimension": dimension, "value": value, "networks": len(members)}
        rows.append(row | {str(key): found for key, found in best.items()})
    return pd.DataFrame(rows, columns=["dimension", "value", "networks", *columns])


def marginals(networks: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Mean validation error over all networks of each value of each dimension.

    The mean is over what else was sampled with that value: under a band of multiply-adds
    that is other networks for each value, not the same ones with one thing changed.

    Args:
        networks: from `analysis.runs.networks.averaged`.
        level: of the t-interval over networks.

    Returns:
        `dimension`, `value`, `networks`, `mean`, `low`, `high` (NaN of a single network),
        `median_macs`.
    """
    rows = []
    for dimension, value, members in _groups(networks):
        interval = t_interval(members["val_error_pct"], level=level)
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
    """Dimension, value and networks; one with few values each by itself, else in eight bins."""
    found: list[tuple[str, object, pd.DataFrame]] = []
    for dimension in DIMENSIONS:
        values = networks[dimension]
        if values.nunique() < 2:
            continue
        for value, members in _binned(networks, values).groupby("_value", sort=True):
            found.append((dimension, value, members))
    return found


_MOST_VALUES = 12


def _binned(networks: pd.DataFrame, values: pd.Series) -> pd.DataFrame:
    numeric = pd.api.types.is_integer_dtype(values)
    if not numeric or values.nunique() <= _MOST_VALUES:
        return networks.assign(_value=values)
    bins = pd.qcut(values, 8, duplicates="drop")
    shown = [f"{int(one.left) + 1} to {int(one.right)}" for one in bins.cat.categories]
    return networks.assign(_value=bins.cat.rename_categories(shown))
