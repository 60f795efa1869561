"""Checks whether a scaling law may be fitted to a tidy frame of finished trials.

One row is one network trained with one seed. Columns: network (its id), seed, size (MACs,
params, a multiplier or training compute; > 0), error (percent), epochs, recipe and data (their
digests).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Indices = NDArray[np.int64]

COLUMNS = ("network", "seed", "size", "error", "epochs", "recipe", "data")
FEWEST_SIZES = 4
LEAST_RANGE = 2.0


class Refusal(ValueError):  # noqa: N818 - not a fault of the code, so not an "Error"
    """A conclusion that the trials do not support; states why, and what to do instead."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}; {remedy}")
        self.reason = reason
        self.remedy = remedy


def check(
    points: pd.DataFrame,
    *,
    parameters: int = 3,
    chance: float = 100.0,
    epochs_studied: bool = False,
) -> None:
    """Refuse trials that no scaling law should be fitted to.

    Args:
        points: tidy frame with COLUMNS, one row for each network and seed.
        parameters: number of parameters of the form; there must be more distinct sizes than
            these, and at least four.
        chance: error of random guessing in percent; every error must be below it.
        epochs_studied: whether epochs are (part of) the size, so that they may differ.

    Raises:
        Refusal: a column is missing, a value is impossible, a row occurs twice, recipes, data
            or epochs are mixed, or there are too few sizes or they are too close.
    """
    check_values(points, chance=chance)
    check_one(points, "recipe", "compare networks of one recipe, or fit each recipe alone")
    check_one(points, "data", "compare networks on one data set, or fit each alone")
    if not epochs_studied:
        remedy = (
            "keep the trials of one schedule, or say epochs_studied=True if size holds them"
        )
        check_one(points, "epochs", remedy)
    _check_rows(points, ["network", "seed"] + ["epochs"] * epochs_studied)
    _check_sizes(points["size"], max(FEWEST_SIZES, parameters + 1))


def check_values(points: pd.DataFrame, *, chance: float = 100.0) -> None:
    """Refuse missing columns and impossible values, as in `check`."""
    missing = [column for column in COLUMNS if column not in points]
    if missing:
        raise Refusal(f"no column {', '.join(missing)}", f"give a frame with {COLUMNS}")
    if points.empty:
        raise Refusal("no rows", "give finished trials")
    size = points["size"].to_numpy(dtype=float)
    if not (np.isfinite(size) & (size > 0)).all():
        raise Refusal("a size is not a number > 0", "give MACs, params or training compute")
    error = points["error"].to_numpy(dtype=float)
    if not ((error > 0) & (error < chance)).all():
        bad = error[~((error > 0) & (error < chance))][0]
        raise Refusal(
            f"an error of {bad:g} % is not between 0 and {chance:g}, the error of guessing",
            "leave out trials that failed; errors are in percent",
        )


def check_one(points: pd.DataFrame, column: str, remedy: str) -> None:
    """Refuse a column that should contain one value but contains several."""
    values = points[column].unique()
    if len(values) > 1:
        raise Refusal(f"mixed {column}: {', '.join(map(str, values[:4]))}", remedy)


def cells(points: pd.DataFrame) -> Indices:
    """Index of the network (at its size) of each row (n,), from 0 without gaps."""
    codes = points.groupby(["network", "size"], sort=False).ngroup()
    return np.asarray(codes, dtype=np.int64)


def _check_rows(points: pd.DataFrame, key: list[str]) -> None:
    twice = points[points.duplicated(key)]
    if len(twice):
        shown = ", ".join(f"{name} {twice.iloc[0][name]}" for name in key)
        raise Refusal(f"two rows for {shown}", "give one row for each network and seed")
    spread = points.groupby(["network", *key[2:]])["size"].nunique()
    if (spread > 1).any():
        raise Refusal(
            f"network {spread.idxmax()} has {spread.max()} sizes", "name networks apart"
        )


def _check_sizes(size: pd.Series, fewest: int) -> None:
    if size.nunique() < fewest:
        raise Refusal(
            f"{size.nunique()} distinct sizes are fewer than {fewest}",
            "train networks of more sizes, or fit a form with fewer parameters",
        )
    if size.max() < LEAST_RANGE * size.min():
        raise Refusal(
            f"all sizes lie within a factor of {size.max() / size.min():.2f}",
            f"train networks whose sizes span a factor of {LEAST_RANGE:g} or more",
        )
