"""Writes counts and p values in sentences and captions, the same everywhere."""


def how_many(count: float, what: str) -> str:
    """Write a count with its noun: "1 trial", "1,200 trials".

    Args:
        count: a whole number.
        what: the noun for one; its plural adds an s.
    """
    return f"{count:,.0f} {what}{'s' * (count != 1)}"


def p_words(p: float) -> str:
    """Write a p value: "p 0.035", or "p < 0.001", for no p is 0."""
    return "p < 0.001" if p < 0.001 else f"p {p:.3f}"
