"""Writes counts and p values in sentences and captions, the same everywhere."""

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


def p_words(p: float) -> str:
    """Write a p value: "p 0.035", or "p < 0.001", for no p is 0."""
    return "p < 0.001" if p < 0.001 else f"p {p:.3f}"
