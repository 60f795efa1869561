"""Says what a doubling of multiply-adds does to the error along each dimension.

The straight line that stands where there is no scaling law (`analysis.questions.tradeoffs`).
"""

import math
from typing import NamedTuple

import pandas as pd

from analysis.questions.equal_size import comparisons
from analysis.questions.stopping import rule_of
from analysis.runs.run import Run


class Slope(NamedTuple):
    """Points of error for a doubling of multiply-adds, its 95 % interval alone, and of what."""

    slope: float
    low: float  # NaN of one seed
    high: float
    networks: int
    seeds: int

    def text(self) -> str:
        """In words, with the interval."""
        said = f"{self.slope:+.2f} points of error for a doubling of multiply-adds"
        if math.isnan(self.low):
            return f"{said}, without an interval"
        return f"{said} (95 % interval {self.low:+.2f} to {self.high:+.2f})"


def slopes(run: Run, points: pd.DataFrame) -> dict[str, Slope]:
    """What a doubling of multiply-adds does to the error along each dimension.

    Least squares on the logarithm of multiply-adds, through the networks of the dimension and
    the base, by the network + seed model (`analysis.questions.equal_size`).

    Args:
        run: says how it may be tested.
        points: from `analysis.questions.series.points`, of an error in percent.
    """
    compared = comparisons(points, analysis=run.plan.analysis, rule=rule_of(run))
    found = compared[(compared["kind"] == "slope") & (compared["against"] == "")]
    sign = -1 if run.score.complemented else 1  # of the score, which may be the accuracy
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
