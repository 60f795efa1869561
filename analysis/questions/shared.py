"""Finds trials that two runs share, such as a run and a copy that was continued.

Comparisons between runs need independent data: a trial in both agrees with itself, and would
make two runs look more alike, and a difference more certain, than they are.
"""

import pandas as pd

from analysis.runs.run import Run

_KEYS = ["name", "seed", "epochs"]


def shared(first: Run, second: Run, *, any_recipe: bool = False) -> pd.DataFrame:
    """The trials in both runs: with the same network, seed, epochs, recipe, data and scores.

    All metrics must be equal to the last digit, both final ones and those of every epoch. A
    training that was repeated on the same machine with identical results is also such a trial,
    because it adds no information.

    Args:
        first: a run.
        second: another run.
        any_recipe: whether equal scores are enough where the recipes of the runs differ, as
            they do if one gives other settings to some networks. By default only trials that a
            run took over from another count then.

    Returns:
        `name`, `seed`, and `trial_a` and `trial_b`: the number of the trial in each run.
        Contains only search trials that were trained to their end.
    """
    columns = ["name", "seed", "trial_a", "trial_b"]
    alike = (first.data, first.left_out, first.metrics) == (
        second.data, second.left_out, second.metrics
    )  # fmt: skip
    if not alike:
        return pd.DataFrame(columns=columns)
    ends = list(dict.fromkeys((first.ranking.column, first.tested.column)))
    sides = [_ended(run, ends) for run in (first, second)]
    same = sides[0].merge(sides[1], on=[*_KEYS, *ends], suffixes=("_a", "_b"))
    if first.recipe != second.recipe and not any_recipe:
        taken_over = same[["trained_in_a", "trained_in_b"]].fillna("").agg("".join, axis=1)
        same = same[taken_over.astype(bool)]
    if len(same):  # epochs are read only where the ends are equal
        for side, run in (("a", first), ("b", second)):
            same[f"curve_{side}"] = same[f"trial_{side}"].map(_curves(run)).fillna(0)
        same = same[same["curve_a"] == same["curve_b"]]
    return same[columns].drop_duplicates("trial_b").reset_index(drop=True)


def own(first: Run, second: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The complete trials of each of two runs, without those that both contain.

    Args:
        first: a run.
        second: another run.
    """
    both = shared(first, second)
    a, b = first.whole(), second.whole()
    return a[~a["trial"].isin(both["trial_a"])], b[~b["trial"].isin(both["trial_b"])]


def _ended(run: Run, ends: list[str]) -> pd.DataFrame:
    trials = run.whole()[["trial", "trained_in", *_KEYS, *ends]]
    # A merge treats two missing numbers as equal, as intended: neither was measured.
    return trials.astype({"epochs": float})


def _curves(run: Run) -> pd.Series:
    """A hash of the epochs of each trial, equal where all their metrics are equal."""
    epochs = run.epochs.drop(columns=["trial", "images_per_s", "seconds"])
    rows = pd.Series(pd.util.hash_pandas_object(epochs, index=False).to_numpy())
    return rows.groupby(run.epochs["trial"].to_numpy()).sum()
