"""Computes confidence intervals and tests: estimates with their uncertainty from plain numbers.

Takes plain numbers, such as errors in percent by seed, and gives estimates to tables, plots and
the report. Resampling of networks is in `resampling`, comparison of populations in `edf`.

Where the numbers do not allow the noise to be estimated, there is no interval and no p.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy  # submodules are imported on first use: scipy.stats takes a second
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

SIGNIFICANT = 0.05  # p below which a difference counts as clear
SHARED = SIGNIFICANT / 2  # the same if two questions on a page may each make a claim
_ROUNDING = 1e-12  # a spread below this share of the values is rounding, not noise


class StatisticsError(ValueError):
    """Numbers for which a statistic cannot be computed; states which, why and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate with its confidence interval.

    Attributes:
        estimate: the estimate, in the unit of the values.
        low: end of the interval; None, like `high`, where the values cannot give one.
        high: the other end.
        n: number of independent values it is based on (seeds, pairs or networks).
        level: the share of such intervals that contain the truth, such as 0.95.
    """

    estimate: float
    low: float | None
    high: float | None
    n: int
    level: float

    def __post_init__(self) -> None:
        assert (self.low is None) == (self.high is None)
        assert self.low is None or self.high is None or self.low <= self.high

    def ends(self, *, percent: bool = False) -> tuple[float, float]:
        """Both ends, NaN where there is no interval; clipped to 0 and 100 for a percentage."""
        if self.low is None or self.high is None:
            return float("nan"), float("nan")
        low, high = (0.0, 100.0) if percent else (-np.inf, np.inf)
        return float(np.clip(self.low, low, high)), float(np.clip(self.high, low, high))

    def text(self, form: str = ".2f", unit: str = "") -> str:
        """Write it as "83.02 % [82.71, 83.33]" or "83.02 % (one seed)"; `form` as in Python."""
        shown = f"{self.estimate:{form}}" + (f" {unit}" if unit else "")
        if self.low is None:
            return f"{shown} (one seed)" if self.n == 1 else f"{shown} (no interval)"
        low, high = self.ends(percent=unit == "%")
        return f"{shown} [{low:{form}}, {high:{form}}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A difference of two means, and how often chance alone would show one as large.

    Attributes:
        difference: first minus second; its `n` is the number of pairs, or of all values.
        p: two-sided p value; None where the values do not allow a test.
    """

    difference: Interval
    p: float | None


def checked(values: ArrayLike, *, name: str) -> FloatArray:
    """Return the values as one row of finite numbers.

    Args:
        values: n numbers.
        name: name of the values in error messages.

    Raises:
        StatisticsError: there is no value, they are not one row, or one is not finite.
    """
    row = np.asarray(values, dtype=float)
    if row.ndim != 1 or row.size == 0:
        raise StatisticsError(
            f"{name}: shape {row.shape} is not a row of one number or more; give a plain list"
        )
    if not np.isfinite(row).all():
        place = int(np.argmin(np.isfinite(row)))
        raise StatisticsError(
            f"{name}[{place}]: {row[place]} is not finite; leave out trials without a result, "
            "and say how many"
        )
    return row


def checked_level(level: float) -> float:
    """Return the confidence level if it is valid.

    Raises:
        StatisticsError: it is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise StatisticsError(
            f"level: {level} is not between 0 and 1; write 0.95 for 95 percent"
        )
    return level


def checked_pair(a: ArrayLike, b: ArrayLike, *, name: str) -> tuple[FloatArray, FloatArray]:
    """Return two rows whose numbers form pairs.

    Raises:
        StatisticsError: as `checked`, or the lengths differ.
    """
    first, second = checked(a, name=f"{name}: first"), checked(b, name=f"{name}: second")
    if first.size != second.size:
        raise StatisticsError(
            f"{name}: {first.size} and {second.size} values do not pair; give one of each "
            "for every seed or network"
        )
    return first, second


def t_interval(values: ArrayLike, *, level: float = 0.95) -> Interval:
    """Student's interval for a mean; exact for normal values.

    Args:
        values: n independent values, such as the errors of n seeds of one network.
        level: confidence level.

    Returns:
        mean -+ t(n - 1) s / sqrt(n), s with n - 1 (Student 1908). No interval for one value,
        nor for values that are all equal: they are rounded more coarsely than they vary.

    Raises:
        StatisticsError: a value is not finite or there is none.
    """
    row = checked(values, name="values")
    checked_level(level)
    estimate, n = float(row.mean()), row.size
    if n == 1 or _is_rounding(float(row.std(ddof=1)), row):
        return Interval(estimate=estimate, low=None, high=None, n=n, level=level)
    found = scipy.stats.ttest_1samp(row, 0.0).confidence_interval(level)
    return Interval(
        estimate=estimate, low=float(found.low), high=float(found.high), n=n, level=level
    )


def pooled_interval(groups: Sequence[ArrayLike], *, level: float = 0.95) -> list[Interval]:
    """Intervals for the means of several networks that share one standard deviation over seeds.

    A single network with three seeds has t = 4.30; ten of them, pooled, have t = 2.09. Where
    their spreads differ (`analysis.statistics.spreads`), use `t_interval` for each.

    Args:
        groups: one row of values per network; lengths may differ.
        level: confidence level of each single interval.

    Returns:
        One interval per group, mean_i -+ t(df) s / sqrt(n_i), where s^2 is the mean square
        within groups of a one-way analysis of variance, df = sum(n_i - 1) (Fisher 1925). A
        group of one value also has one if another group has more. None at all if df or s is 0.

    Raises:
        StatisticsError: a value is not finite, a group is empty, or there is no group.
    """
    checked_level(level)
    if not len(groups):
        raise StatisticsError("groups: there is none; give the values of one network or more")
    rows = [checked(group, name=f"group {i}") for i, group in enumerate(groups)]
    df = sum(row.size - 1 for row in rows)
    squares = sum(float(((row - row.mean()) ** 2).sum()) for row in rows)
    spread = np.sqrt(squares / df) if df else 0.0
    scale = max(float(np.abs(row).max()) for row in rows)
    return [
        _student(
            float(row.mean()),
            float(spread / np.sqrt(row.size)) if spread > _ROUNDING * scale else None,
            df=df,
            n=row.size,
            level=level,
        )
        for row in rows
    ]


def paired(a: ArrayLike, b: ArrayLike, *, level: float = 0.95) -> Comparison:
    """Compare two networks that were trained with the same seeds by the paired t test.

    Args:
        a: values of the first, one per seed.
        b: values of the second, in the same order of seeds.
        level: confidence level of the interval for mean(a - b).

    Returns:
        The difference, tested as by scipy.stats.ttest_rel. For one pair, or for differences
        that are all equal and so may be rounding, there is neither interval nor p.

    Raises:
        StatisticsError: a value is not finite, or the lengths differ.
    """
    first, second = checked_pair(a, b, name="pairs")
    checked_level(level)
    change = first - second
    if change.size == 1 or _is_rounding(float(np.ptp(change)), np.concatenate([first, second])):
        return _untested(float(change.mean()), n=change.size, level=level)
    found = scipy.stats.ttest_rel(first, second)
    return _tested(found, change.mean(), n=change.size, level=level)


def unpaired(a: ArrayLike, b: ArrayLike, *, level: float = 0.95) -> Comparison:
    """Compare two networks that share no seeds by Welch's t test for unequal variances.

    Args:
        a: values of the first.
        b: values of the second; their number may differ.
        level: confidence level of the interval for mean(a) - mean(b).

    Returns:
        The difference, tested as by scipy.stats.ttest_ind(equal_var=False), with Welch's
        degrees of freedom (1947). Neither interval nor p where one side has a single value, or
        neither side has any spread.

    Raises:
        StatisticsError: a value is not finite or a side has none.
    """
    rows = [checked(a, name="first"), checked(b, name="second")]
    checked_level(level)
    difference, n = float(rows[0].mean() - rows[1].mean()), rows[0].size + rows[1].size
    if min(row.size for row in rows) == 1:
        return _untested(difference, n=n, level=level)
    error = np.sqrt(sum(row.var(ddof=1) / row.size for row in rows))
    if _is_rounding(float(error), np.concatenate(rows)):
        return _untested(difference, n=n, level=level)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # warns of a side without spread
        found = scipy.stats.ttest_ind(rows[0], rows[1], equal_var=False)
    return _tested(found, difference, n=n, level=level)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust the p of several comparisons so that even one false finding among all is rare.

    Args:
        p_values: one per comparison, each from 0 to 1.

    Returns:
        In the same order: the k-th smallest of m times m + 1 - k, never below the result of a
        smaller p, at most 1 (Holm 1979). Reject where it is below 0.05.

    Raises:
        StatisticsError: a p is not from 0 to 1.
    """
    row = np.asarray(p_values, dtype=float)
    for place, p in enumerate(row):
        if not 0 <= p <= 1:
            raise StatisticsError(
                f"p_values[{place}]: {p} is not from 0 to 1; leave out comparisons without p"
            )
    order = np.argsort(row, kind="stable")
    stepped = np.maximum.accumulate(row[order] * np.arange(row.size, 0, -1))
    adjusted = np.empty_like(row)
    adjusted[order] = np.minimum(stepped, 1)
    return [float(p) for p in adjusted]


def _is_rounding(spread: float, values: FloatArray) -> bool:
    return spread <= _ROUNDING * float(np.abs(values).max())


def _student(
    estimate: float, error: float | None, *, df: float, n: int, level: float
) -> Interval:
    low = high = None
    if error is not None:
        reach = float(scipy.special.stdtrit(df, (1 + level) / 2)) * error
        low, high = estimate - reach, estimate + reach
    return Interval(estimate=estimate, low=low, high=high, n=n, level=level)


def _tested(found: Any, difference: float, *, n: int, level: float) -> Comparison:
    """Convert `found`, the result of scipy's t test."""
    ends = found.confidence_interval(level)
    interval = Interval(
        estimate=float(difference), low=float(ends.low), high=float(ends.high), n=n, level=level
    )
    return Comparison(difference=interval, p=float(found.pvalue))


def _untested(difference: float, *, n: int, level: float) -> Comparison:
    interval = Interval(estimate=difference, low=None, high=None, n=n, level=level)
    return Comparison(difference=interval, p=None)
