"""Writes counts in sentences and captions, the same everywhere."""

from collections.abc import Iterable


def how_many(count: float, what: str) -> str:
    """Write a count with its noun: "1 trial", "1,200 trials".

    Args:
        count: a whole number.
        what: the noun for one; its plural adds an s.
    """
    return f"{count:,.0f} {what}{'' if round(count) == 1 else 's'}"


def how_many_each(counts: Iterable[int], what: str) -> str:
    """Write how many each has: "3 seeds" where all have as many, else "2 to 3 seeds".

    Args:
        counts: one or more.
        what: the noun for one, as in `how_many`.
    """
    least, *_, most = sorted([*counts] * 2)
    return how_many(most, what) if least == most else f"{least:,.0f} to {how_many(most, what)}"


def have_ended(count: int, *, planned: int | None = None) -> str:
    """Write how many trials have ended: "1 trial has ended", "7 of 40 trials have ended".

    Args:
        count: trials that have ended.
        planned: trials that there will be; by default not mentioned.
    """
    trials = how_many(count, "trial")
    if planned is not None:
        trials = f"{count:,} of {how_many(planned, 'trial')}"
    return f"{trials} {'has' if count == 1 else 'have'} ended"


def all_have_ended(count: int, *, study: str = "") -> str:
    """Write that a study has nothing left: "all 4 trials of tiny have ended".

    Args:
        count: trials of the study, at least 1.
        study: name of the study; by default not mentioned.
    """
    of_it = f" of {study}" if study else ""
    if count == 1:
        return f"the only trial{of_it} has ended"
    return f"all {count:,} trials{of_it} have ended"
