"""States in plain words how well several runs agree, from `analysis.questions.compare`."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from analysis.questions.compare import SAME
from analysis.questions.tau_words import tau_words
from analysis.runs.scores import words
from analysis.statistics.intervals import SIGNIFICANT
from search.schema.metrics import Objective
from search.schema.wording import how_many


def compare_findings(
    agreed: pd.DataFrame,
    moved: Sequence[pd.DataFrame],
    ranking: Objective,
    *,
    names: Sequence[str],
) -> list[str]:
    """State how well runs agree, and what shifted most.

    Args:
        agreed: from `analysis.questions.compare.agreement`.
        moved: from `analysis.questions.compare.shifts`, for the first run and each other one.
        ranking: the ranking metric of the first run.
        names: names of the runs.
    """
    said = [_agrees(row) for row in agreed.to_dict("records")]
    said += [_same(row) for row in agreed.to_dict("records") if row["same"]]
    for name, one in zip(names[1:], moved, strict=True):
        most = one.iloc[0]
        said.append(
            f"From {names[0]} to {name}, the network whose rank changes most is "
            f"{most['name']}: {most['rank_a']:g} to {most['rank_b']:g} of {len(one):,}."
            if most["rank_shift"]
            else f"From {names[0]} to {name}, no rank of {len(one):,} changes."
        )
        if "difference" in one:
            said.append(_differ(one, words(ranking), (names[0], name)))
    return said


def _agrees(row: dict[Any, Any]) -> str:
    pair = f"{row['a']} and {row['b']}"
    if row["refused"]:
        return f"How far {pair} agree on ranks is not known: {row['refused']}."
    networks = how_many(row["networks"], "network")
    by = f"{pair} rank their {networks} in common with Kendall's tau_b "
    tau = tau_words(
        *(row[key] for key in ("tau", "low", "high", "p_exact")), networks=row["networks"]
    )
    if pd.isna(row["low"]):
        return f"{by}{tau}."
    if row["low"] <= 0 <= row["high"]:
        return f"{by}{tau}: the data do not show that they agree."
    alike = "they agree more" if row["low"] > 0 else "they agree less"
    return f"{by}{tau}: {alike} than orders by chance would."


def _same(row: dict[Any, Any]) -> str:
    trials = how_many(row["same"], "trial")
    return (
        f"{row['a']} and {row['b']} have {trials} in common: the same network, seed, settings "
        "and data, and the same numbers to the last digit. Comparing a trial with itself "
        "says nothing, so these are left out of the tests between the two."
    )


def _differ(one: pd.DataFrame, metric: str, names: tuple[str, str]) -> str:
    first, second = names
    if (one["by"] == SAME).all():
        return (
            f"Nothing is tested between {first} and {second}: these are {SAME}. Compare runs "
            "of other seeds, or of another recipe."
        )
    if one.attrs["untested"]:
        return f"Nothing is tested between {first} and {second}: {one.attrs['untested']}."
    tested = one["p_all"].notna()
    if not tested.any():
        why = (
            "scores do not vary between seeds, so the noise cannot be estimated"
            if one.attrs["several"]
            else "there are too few seeds for an interval"
        )
        return (
            f"Whether the {metric} of any network differs between {first} and {second} is not "
            f"shown: {why}."
        )
    clear = one[one["p_all"] < SIGNIFICANT]
    up, networks = int((clear["difference"] > 0).sum()), how_many(int(tested.sum()), "network")
    higher = f"{up:,} {'is' if up == 1 else 'are'} higher in {second}"
    return (
        f"The {metric} of {len(clear):,} of {networks} differs clearly "
        f"between {first} and {second} (p below {SIGNIFICANT}, corrected for all by "
        f"Bonferroni): {higher}, {len(clear) - up:,} lower."
    )
