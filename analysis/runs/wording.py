"""Writes p values in sentences and captions, the same everywhere."""


def p_words(p: float) -> str:
    """Write a p value: "p 0.035", or "p < 0.001", for no p is 0."""
    return "p < 0.001" if p < 0.001 else f"p {p:.3f}"
