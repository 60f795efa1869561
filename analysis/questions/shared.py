"""Finds trials that two runs both hold, such as a run and its copy that went on.

What is compared between runs must be independent: a trial that stands in both agrees with
itself, and would make two runs look more alike, and a difference surer, than they are.
"""

import pandas as pd

from analysis.runs.run import Run

_KEYS = ["name", "seed", "epochs"]


def shared(first: Run, second: Run) -> pd.DataFrame:
    """The trials that both runs hold: the same network, seed, epochs, recipe, data and numbers.

    All metrics must be equal to the last digit, those of the end and of every epoch. A training
    that was made again on the same machine and came out the same is such a trial too: it says
    nothing that the first did not say.

    Args:
        first: a run.
        second: another.

    Returns:
        `name`, `seed`, and `trial_a` and `trial_b`: the number of the trial in each. Only of
        trials of the search that were trained to their end.
    """
    columns = ["name", "seed", "trial_a", "trial_b"]
    alike = (first.recipe, first.data, first.left_out, first.metrics) == (
        second.recipe, second.data, second.left_out, second.metrics
    )  # fmt: skip
    if not alike:
        return pd.DataFrame(columns=columns)
    ends = list(dict.fromkeys((first.ranking.column, first.tested.column)))
    sides = [_ended(run, ends) for run in (first, second)]
    same = sides[0].merge(sides[1], on=[*_KEYS, *ends], suffixes=("_a", "_b"))
    if len(same):  # epochs are read only where the ends are equal
        for side, run in (("a", first), ("b", second)):
            same[f"curve_{side}"] = same[f"trial_{side}"].map(_curves(run)).fillna(0)
        same = same[same["curve_a"] == same["curve_b"]]
    return same[columns].drop_duplicates("trial_b").reset_index(drop=True)


def own(first: Run, second: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The whole trials of each of two runs, without those that both hold.

    Args:
        first: a run.
        second: another.
    """
    both = shared(first, second)
    a, b = first.whole(), second.whole()
    return a[~a["trial"].isin(both["trial_a"])], b[~b["trial"].isin(both["trial_b"])]


def _ended(run: Run, ends: list[str]) -> pd.DataFrame:
    trials = run.whole()[["trial", *_KEYS, *ends]]
    # A merge takes two missing numbers for equal, as is wanted: both were not measured.
    return trials.astype({"epochs": float})


def _curves(run: Run) -> pd.Series:
    """A number for the epochs of each trial, equal where all of their metrics are."""
    epochs = run.epochs.drop(columns=["trial", "images_per_s", "seconds"])
    rows = pd.Series(pd.util.hash_pandas_object(epochs, index=False).to_numpy())
    return rows.groupby(run.epochs["trial"].to_numpy()).sum()
