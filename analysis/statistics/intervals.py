"""Computes confidence intervals and tests: numbers in, an estimate with its uncertainty out.

Takes plain numbers, such as errors in percent by seed, and hands estimates to tables, plots and
the report. What resamples networks is in `resampling`, what compares populations in `edf`.

Where the numbers cannot tell how far chance reaches there is no interval and no p.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy  # its parts, scipy.stats a second, are imported where they are used
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

SIGNIFICANT = 0.05  # p below which a difference is called clear
SHARED = SIGNIFICANT / 2  # the same where two questions of a page may each claim something
_ROUNDING = 1e-12  # a spread below this share of the numbers is their rounding, not noise


class StatisticsError(ValueError):
    """Numbers that a statistic cannot be computed of; says which, why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate with its confidence interval.

    Attributes:
        estimate: in the unit of the values.
        low: end of the interval; None, like `high`, where the values cannot give one.
        high: the other end.
        n: how many independent values stand behind it (seeds, pairs or networks).
        level: the share of such intervals that hold the truth, such as 0.95.
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
        """Both ends, NaN where there is none; of a percentage cut at 0 and 100."""
        if self.low is None or self.high is None:
            return float("nan"), float("nan")
        low, high = (0.0, 100.0) if percent else (-np.inf, np.inf)
        return float(np.clip(self.low, low, high)), float(np.clip(self.high, low, high))

    def text(self, form: str = ".2f", unit: str = "") -> str:
        """Write it as "83.02 % [82.71, 83.33]" or "83.02 % (one seed)", as Python's format."""
        shown = f"{self.estimate:{form}}" + (f" {unit}" if unit else "")
        if self.low is None:
            return f"{shown} (one seed)" if self.n == 1 else f"{shown} (no interval)"
        low, high = self.ends(percent=unit == "%")
        return f"{shown} [{low:{form}}, {high:{form}}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A difference of two means, and how often chance alone would show as large a one.

    Attributes:
        difference: first minus second; its `n` counts the pairs, or all values of both.
        p: two-sided; None where the values cannot tell.
    """

    difference: Interval
    p: float | None


def checked(values: ArrayLike, *, name: str) -> FloatArray:
    """Return the values as one row of finite numbers.

    Args:
        values: n numbers.
        name: what a message calls them.

    Raises:
        StatisticsError: none at all, not one row, or one that is not finite.
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
    """Return the level of confidence if it is one.

    Raises:
        StatisticsError: not between 0 and 1.
    """
    if not 0 < level < 1:
        raise StatisticsError(
            f"level: {level} is not between 0 and 1; write 0.95 for 95 percent"
        )
    return level


def checked_pair(a: ArrayLike, b: ArrayLike, *, name: str) -> tuple[FloatArray, FloatArray]:
    """Return two rows whose numbers belong together one by one.

    Raises:
        StatisticsError: as `checked`, or of different lengths.
    """
    first, second = checked(a, name=f"{name}: first"), checked(b, name=f"{name}: second")
    if first.size != second.size:
        raise StatisticsError(
            f"{name}: {first.size} and {second.size} values do not pair; give one of each "
            "for every seed or network"
        )
    return first, second


def t_interval(values: ArrayLike, *, level: float = 0.95) -> Interval:
    """Student's interval of a mean; exact where the values are normal.

    Args:
        values: n independent values, such as the errors of n seeds of one network.
        level: of confidence.

    Returns:
        mean -+ t(n - 1) s / sqrt(n), s with n - 1 (Student 1908). No interval of one value,
        nor of values that are all equal: they are rounded more coarsely than they vary.

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
    """Intervals of the means of several networks that share one spread between seeds.

    Alone, a network with three seeds has t = 4.30; ten of them, pooled, t = 2.09. Where they
    do not spread alike (`analysis.statistics.spreads`), use `t_interval` of each.

    Args:
        groups: one row of values a network; lengths may differ.
        level: of each interval for itself.

    Returns:
        One interval a group, mean_i -+ t(df) s / sqrt(n_i), where s^2 is the mean square
        within groups of a one-way analysis of variance, df = sum(n_i - 1) (Fisher 1925). A
        group of one value has one too if another group has more. None at all if df or s is 0.

    Raises:
        StatisticsError: a value is not finite, a group is empty or there is none.
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
    """Compare two networks that were trained with the same seeds: the paired t test.

    Args:
        a: values of the first, one a seed.
        b: values of the second, in the same order of seeds.
        level: of the interval of mean(a - b).

    Returns:
        The difference, as scipy.stats.ttest_rel tests it. Of one pair, or of differences that
        are all equal, neither interval nor p: these may be rounding.

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
    """Compare two networks that share no seeds: Welch's t test, for unequal spreads.

    Args:
        a: values of the first.
        b: values of the second; may be more or fewer.
        level: of the interval of mean(a) - mean(b).

    Returns:
        The difference, as scipy.stats.ttest_ind(equal_var=False) tests it, with Welch's
        degrees of freedom (1947). Neither interval nor p where one side has a single value,
        or no side any spread.

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
        warnings.simplefilter("ignore", RuntimeWarning)  # a side without spread is exact
        found = scipy.stats.ttest_ind(rows[0], rows[1], equal_var=False)
    return _tested(found, difference, n=n, level=level)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust the p of several comparisons so that one false finding among all stays rare.

    Args:
        p_values: one a comparison, each from 0 to 1.

    Returns:
        In the same order: the k-th smallest of m times m + 1 - k, never less than a smaller
        one's, at most 1 (Holm 1979). Reject where it is below 0.05.

    Raises:
        StatisticsError: one is not from 0 to 1.
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
    """What scipy's t test says; `found` is its result."""
    ends = found.confidence_interval(level)
    interval = Interval(
        estimate=float(difference), low=float(ends.low), high=float(ends.high), n=n, level=level
    )
    return Comparison(difference=interval, p=float(found.pvalue))


def _untested(difference: float, *, n: int, level: float) -> Comparison:
    interval = Interval(estimate=difference, low=None, high=None, n=n, level=level)
    return Comparison(difference=interval, p=None)
