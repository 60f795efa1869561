"""Compares two groups of trials: paired where their seeds are equal, else by Welch's test."""

import numpy as np
import pandas as pd

from analysis.statistics.intervals import Comparison, paired, unpaired

_ROUNDING = 1e-12  # as in analysis.statistics.intervals


def against(
    a: pd.DataFrame, b: pd.DataFrame, *, column: str, level: float = 0.95
) -> tuple[Comparison, str]:
    """Compare two groups of trials: paired where their seeds are equal, else by Welch's test.

    Args:
        a: trials of one network in one run.
        b: trials of another network, or of the same network in another run.
        column: column of the ranking metric; a minus b is compared.
        level: confidence level of the interval.

    Returns:
        The comparison, and the method used: "paired" or "Welch".
    """
    first, second = (
        rows.set_index("seed")[column].dropna().astype(float).sort_index() for rows in (a, b)
    )
    if first.index.is_unique and first.index.equals(second.index):
        return paired(first, second, level=level), "paired"
    return unpaired(first, second, level=level), "Welch"


def each_against(a: pd.DataFrame, b: pd.DataFrame, *, column: str) -> pd.DataFrame:
    """As `against`, for each network that both have; handles thousands at once.

    Args:
        a: trials with `name` and `seed`.
        b: trials to compare with them.
        column: column of the ranking metric; a minus b is compared.

    Returns:
        One row per network, by name: `difference`, its standard `error` and degrees of freedom
        `df` (both NaN where the seeds do not allow the noise to be estimated), and `by`:
        "paired" or "Welch".
    """
    sides = [rows[["name", "seed", column]].dropna() for rows in (a, b)]
    one, other = (_moments(rows, column) for rows in sides)
    both = one.add_suffix("_a").join(other.add_suffix("_b"), how="inner")
    pairs = sides[0].merge(sides[1], on=["name", "seed"], suffixes=("_a", "_b"))
    change = pairs[f"{column}_a"].astype(float) - pairs[f"{column}_b"].astype(float)
    groups = change.groupby(pairs["name"])
    by_pairs = pd.DataFrame(
        {"pairs": groups.size(), "sd": groups.std(), "ptp": groups.max() - groups.min()}
    )
    both = both.join(by_pairs)
    unique = (both["seeds_a"] == both["n_a"]) & (both["seeds_b"] == both["n_b"])
    paired_ = unique & (both["pairs"] == both["n_a"]) & (both["pairs"] == both["n_b"])
    least = _ROUNDING * both[["largest_a", "largest_b"]].max(axis=1)
    parts = [both[f"var_{side}"] / both[f"n_{side}"] for side in "ab"]
    welch = np.sqrt(parts[0] + parts[1])
    freedom = welch**4 / sum(
        part**2 / (both[f"n_{side}"] - 1) for part, side in zip(parts, "ab", strict=True)
    )
    error = np.where(paired_, both["sd"] / np.sqrt(both["pairs"]), welch)
    known = np.where(paired_, both["ptp"], welch) > least
    return pd.DataFrame(
        {
            "difference": both["mean_a"] - both["mean_b"],
            "error": np.where(known, error, np.nan),
            "df": np.where(known, np.where(paired_, both["pairs"] - 1, freedom), np.nan),
            "by": np.where(paired_, "paired", "Welch"),
        },
        index=both.index,
    )


def _moments(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    groups = rows.assign(value=rows[column].astype(float)).groupby("name")
    values = groups["value"]
    return pd.DataFrame(
        {
            "n": values.size(),
            "mean": values.mean(),
            "var": values.var(),  # NaN for one value: then there is no error
            "largest": np.maximum(values.max().abs(), values.min().abs()),
            "seeds": groups["seed"].nunique(),
        }
    )
