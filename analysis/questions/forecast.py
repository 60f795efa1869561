"""Forecasts the best network of a budget that was not run, from runs of several budgets.

Input: runs of one recipe and one data set, with different budgets of multiply-adds. Output: a
table of what the best network at that budget is expected to be and, where the budget was run,
how far off the same forecast would have been.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.random import Generator

from analysis.questions.compare import why_not_comparable
from analysis.questions.remedies import for_more_networks
from analysis.questions.shared import shared
from analysis.runs.networks import averaged
from analysis.runs.run import Run, RunError
from analysis.runs.scores import is_percent_error, words
from analysis.scaling.forecast import (
    FEWEST,
    REACH,
    Forecast,
    dimension_forms,
    error_forms,
    foretold,
)
from analysis.scaling.points import Refusal
from analysis.statistics.resampling import best_shares, resampled_best
from search.schema.units import format_amount

DIMENSIONS = ("depth", "width", "scale", "cardinality")
COLUMNS = (
    "macs", "what", "estimate", "low", "high", "budgets", "found", "inside", "off", "forms"
)  # fmt: skip
_SAME = 1.25  # budgets closer than this factor count as one
_DRAWS = 2000
_FEWEST_NETWORKS = 8
_UNEVEN = 2  # from this ratio on, the best of many differs clearly from the best of few


class Budget(NamedTuple):
    """The networks that were run at a budget.

    Attributes:
        macs: median multiply-adds of its networks.
        networks: from `analysis.runs.networks.averaged`, for all runs at the budget, each
            network once.
        runs: these runs.
    """

    macs: float
    networks: pd.DataFrame
    runs: tuple[Run, ...]


def budgets(runs: Sequence[Run]) -> list[Budget]:
    """The budgets of runs, by rising multiply-adds; similar ones are merged.

    Args:
        runs: runs of one recipe, length, data set and metric, which is an error in percent.

    Raises:
        RunError: these differ, or a run has fewer than eight complete networks.
    """
    why = why_not_comparable(runs)
    if not why and len({(run.recipe, run.plan.training.epochs) for run in runs}) > 1:
        why = "the runs trained by different recipes or for different lengths"
    if why:
        raise RunError(f"{why}, and a forecast is of one; name runs that differ in size only")
    metric = runs[0].ranking
    if not is_percent_error(metric):
        raise RunError(
            f"{words(metric)} is no error in percent, for which the forms of a forecast are; "
            "rank by an error (search.objectives)"
        )
    found: list[Budget] = []
    for macs, run, networks in sorted(
        ((float(frame["macs"].median()), run, frame) for run, frame in _networks(runs)),
        key=lambda one: one[0],
    ):
        if found and macs < _SAME * found[-1].macs:
            last = found.pop()
            copied = {name for other in last.runs for name in shared(other, run)["name"]}
            both = _merged(last.networks, networks, copied)
            found.append(Budget(float(both["macs"].median()), both, (*last.runs, run)))
        else:
            found.append(Budget(macs, networks, (run,)))
    return found


def _merged(first: pd.DataFrame, second: pd.DataFrame, copied: set[str]) -> pd.DataFrame:
    """The networks of two runs, each once: otherwise the best would seem surer than it is.

    Args:
        first: networks of one or more runs.
        second: networks of another run.
        copied: names of those of which both have the same trials.
    """
    scores = ["val", "test"]
    keys = [column for column in first if column not in (*scores, "seeds")]
    both = pd.concat([first, second], ignore_index=True)
    both = both.sort_values("seeds", ascending=False, kind="stable")
    both = both[~(both["name"].isin(copied) & both.duplicated(keys))]
    both[scores] = both[scores].mul(both["seeds"], axis=0)
    sums = both.groupby(keys, sort=False, dropna=False)[[*scores, "seeds"]].sum(min_count=1)
    return sums.assign(**{side: sums[side] / sums["seeds"] for side in scores}).reset_index()


def forecasts(
    runs: Sequence[Run], *, macs: float | None = None, rng: Generator
) -> pd.DataFrame:
    """Forecast the best network of a budget; where the budget was run, compare with the result.

    Args:
        runs: runs of three or more budgets; see `budgets`.
        macs: multiply-adds of the budget asked for. None: twice the largest that was run, and
            also the largest itself, forecast from the smaller ones if there are three of them.
        rng: draws networks, forms and noise.

    Returns:
        COLUMNS: for the error of the best network (`what` is "error") and for each dimension
        that is a single number in all networks: the forecast with its 90 % interval, the number
        of `budgets` it is based on, and `forms` with their weights. Where that budget was run
        (it is then not used for the forecast): what was `found`, whether it is `inside` the
        interval, and by how much the forecast is `off`.

    Raises:
        RunError: as `budgets`.
        Refusal: there are fewer than three budgets, or the one asked for is too far from them.
    """
    ran = budgets(runs)
    asked = [macs] if macs else _asked(ran)
    rows = [row for at in asked for row in _of(ran, at, chance=runs[0].chance, rng=rng)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def uneven(ran: Sequence[Budget]) -> tuple[str, ...]:
    """Warn, in a sentence, if the budgets hold quite different numbers of networks.

    Args:
        ran: from `budgets`.
    """
    counts = sorted(len(one.networks) for one in ran)
    if counts[-1] < _UNEVEN * counts[0]:
        return ()
    return (
        f"The budgets hold {counts[0]:,} to {counts[-1]:,} networks, and the best of more is "
        "better: the forecast is of a search of about as many as they have, and its interval "
        "does not cover that they differ.",
    )


def _asked(ran: Sequence[Budget]) -> list[float]:
    back = [ran[-1].macs] if len(ran) > FEWEST and ran[-1].macs <= REACH * ran[-2].macs else []
    return [*back, 2 * ran[-1].macs]


def _networks(runs: Sequence[Run]) -> list[tuple[Run, pd.DataFrame]]:
    every = [(run, averaged(run)) for run in runs]
    for run, frame in every:
        if len(frame) < _FEWEST_NETWORKS:
            raise RunError(
                f"{run.folder}: {len(frame)} network(s) trained whole are fewer than "
                f"{_FEWEST_NETWORKS}, of which the best cannot be resampled; "
                f"{for_more_networks(run)}"
            )
    return every


def _of(
    ran: Sequence[Budget], at: float, *, chance: float, rng: Generator
) -> list[dict[str, Any]]:
    there = [one for one in ran if max(one.macs, at) < _SAME * min(one.macs, at)]
    # A budget that was run is forecast from the smaller ones only.
    used = [one for one in ran if one.macs * _SAME <= at] if there else list(ran)
    if len(used) < FEWEST:
        raise Refusal(
            f"{len(used)} budget{'s' * (len(used) != 1)} {'below it ' if there else ''}"
            f"{'is' if len(used) == 1 else 'are'} fewer than {FEWEST}",
            "run more budgets, each about twice the one before",
        )
    sizes = [one.macs for one in used]
    target = there[0].macs if there else at
    rows = []
    for what in ("error", *_numbers(ran)):
        values, draws = _drawn(used, what, rng=rng)
        forms = error_forms(chance=chance) if what == "error" else dimension_forms()
        one = foretold(sizes, values, draws, at=target, forms=forms, rng=rng)
        # An error is a percentage; depth, width, scale and cardinality are never below 1.
        least, most = (0.0, 100.0) if what == "error" else (1.0, math.inf)
        if what == "error" and (one.high <= least or one.low >= most):
            raise Refusal(
                f"the curves through the budgets give an impossible error at "
                f"{format_amount(target)} multiply-adds, {one.low:.3g} to {one.high:.3g} %: "
                "they do not reach that far",
                "run a budget in between",
            )
        shown = _within(one, least, most)
        row = _row(shown, what, len(used))
        if there:
            row |= _score(shown, _best(there[0], what))
        rows.append(row)
    return rows


def _within(one: Forecast, least: float, most: float) -> Forecast:
    """Clip a forecast to possible values."""
    low, middle, high = (
        min(max(value, least), most) for value in (one.low, one.estimate, one.high)
    )
    return one._replace(low=low, estimate=middle, high=high)


def _numbers(ran: Sequence[Budget]) -> list[str]:
    """Dimensions that are a single number in all networks and differ among them."""
    every = pd.concat([one.networks for one in ran])
    return [
        name
        for name in DIMENSIONS
        if pd.api.types.is_integer_dtype(every[name]) and len(every[name].unique()) > 1
    ]


def _drawn(
    used: Sequence[Budget], what: str, *, rng: Generator
) -> tuple[list[float], np.ndarray]:
    values, draws = [], []
    for one in used:
        lost = one.networks["val"].to_numpy(dtype=float)
        values.append(_best(one, what))
        if what == "error":
            draws.append(resampled_best(lost, rng=rng, resamples=_DRAWS))
        else:
            near = one.networks[what].to_numpy(dtype=float)
            draws.append(rng.choice(near, size=_DRAWS, p=best_shares(lost)))
    if what != "error":  # a single best is chance: average the bests of random quarters
        values = [float(np.exp(np.log(column).mean())) for column in draws]
    return values, np.column_stack(draws)


def _best(budget: Budget, what: str) -> float:
    best = budget.networks.sort_values("val", kind="stable")
    return float(best["val" if what == "error" else what].iloc[0])


def _row(one: Forecast, what: str, count: int) -> dict[str, Any]:
    shares = sorted(one.weights.items(), key=lambda pair: -pair[1])
    forms = ", ".join(f"{name} {share:.0%}" for name, share in shares)
    row = {"macs": one.size, "what": what, "budgets": count, "forms": forms}
    return row | {"estimate": one.estimate, "low": one.low, "high": one.high}


def _score(one: Forecast, found: float) -> dict[str, Any]:
    inside = one.low <= found <= one.high
    return {"found": found, "inside": inside, "off": found - one.estimate}
