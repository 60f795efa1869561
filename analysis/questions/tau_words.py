"""States in words how certain a rank correlation is."""

import math

from analysis.runs.wording import p_words
from analysis.statistics.intervals import SIGNIFICANT
from analysis.statistics.resampling import FEWEST_FOR_INTERVAL

_ROUNDING = 1e-9


def tau_words(
    tau: float, low: float | None, high: float | None, p: float | None, *, networks: int
) -> str:
    """State Kendall's tau_b with its interval, or with p for few networks, or why without.

    Args:
        tau: tau_b.
        low: end of its 95 % interval; None or NaN where there is none.
        high: the other end.
        p: exact p over all orders; None or NaN where it was not computed.
        networks: number of networks ranked.
    """
    said = f"{tau:.2f}"
    if low is not None and high is not None and math.isfinite(low):
        return f"{said} (95 % interval {low:.2f} to {high:.2f})"
    why = "too few networks for an interval"
    if networks >= FEWEST_FOR_INTERVAL:
        why = "no interval, for without one of them there is no order"
        if abs(tau) > 1 - _ROUNDING:
            why = "no interval, for leaving out any one network changes nothing"
    if p is None or math.isnan(p):
        return f"{said} ({why})"
    return f"{said} ({p_words(p)}, exact: {why})"


def order_shown(tau: float, low: float | None, high: float | None, p: float | None) -> int:
    """Tell what a rank correlation shows: 1 for an order in common, -1 for the other way round.

    Args:
        tau: tau_b.
        low: end of its 95 % interval; None or NaN where there is none.
        high: the other end.
        p: exact p over all orders; None or NaN where it was not computed.

    Returns:
        0 where the interval holds 0, or, without an interval, where chance may give as much.
    """
    if low is not None and high is not None and math.isfinite(low):
        return (low > 0) - (high < 0)
    by_chance = (
        p >= SIGNIFICANT if p is not None and math.isfinite(p) else abs(tau) < 1 - _ROUNDING
    )
    return 0 if by_chance else (tau > 0) - (tau < 0)
