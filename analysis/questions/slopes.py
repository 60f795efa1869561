"""Estimates the effect of doubling multiply-adds on the error along each dimension.

This straight line is used where there is no scaling law (`analysis.questions.tradeoffs`).
"""

import math
from typing import NamedTuple

import pandas as pd

from analysis.questions.equal_size import comparisons
from analysis.questions.stopping import rule_of
from analysis.runs.run import Run


class Slope(NamedTuple):
    """Points of error per doubling of multiply-adds, its single 95 % interval, and its data."""

    slope: float
    low: float  # NaN for one seed
    high: float
    networks: int
    seeds: int

    def text(self) -> str:
        """State it in words, with the interval."""
        said = f"{self.slope:+.2f} points of error for a doubling of multiply-adds"
        if math.isnan(self.low):
            return f"{said}, without an interval"
        return f"{said} (95 % interval {self.low:+.2f} to {self.high:+.2f})"


def slopes(run: Run, points: pd.DataFrame) -> dict[str, Slope]:
    """Estimate the effect of doubling multiply-adds on the error along each dimension.

    Uses least squares on the logarithm of multiply-adds over the networks of the dimension and
    the base, by the network + seed model (`analysis.questions.equal_size`).

    Args:
        run: defines how it may be tested.
        points: from `analysis.questions.series.points`, of an error in percent.
    """
    compared = comparisons(points, analysis=run.plan.analysis, rule=rule_of(run))
    found = compared[(compared["kind"] == "slope") & (compared["against"] == "")]
    sign = -1 if run.score.complemented else 1  # the score may be the accuracy
    return {
        row["of"]: Slope(
            sign * row["difference"],
            min(sign * row["low"], sign * row["high"]),
            max(sign * row["low"], sign * row["high"]),
            row["networks"],
            row["seeds"],
        )
        for row in found.to_dict("records")
    }
