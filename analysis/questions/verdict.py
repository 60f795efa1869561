"""Judges whether one network is better than another, at any look, on validation images only.

Input: a run and two of its networks. Output: a `Verdict`. The difference is paired over the
seeds that both ran; its interval is valid at every look (`search.design.anytime`), so that
seeds may be added until there is an answer. The spread between seeds is estimated from all
networks of the run that share them, by the network + seed model: two networks alone have seeds
- 1 degrees of freedom, I networks have (I - 1)(seeds - 1). This assumes equal spreads; where
the two vary more than the others, their own spread is used if its interval is wider.
"""

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import fdtrc

from analysis.questions.remedies import for_more_seeds
from analysis.runs.run import FAILURES, Run, RunError
from analysis.runs.scores import Score, score_of
from res2net import ArchitectureError, parse
from search.design.anytime import reach
from search.design.spread import Spread, spread_of
from search.schema.metrics import Objective
from search.schema.wording import how_many

BETTER: Final = "better"
WORSE: Final = "worse"
SAME: Final = "same"
NOT_ENOUGH: Final = "not enough"
REFUSED: Final = "refused"
Word = Literal["better", "worse", "same", "not enough", "refused"]
_MOST_SEEDS = 1000  # maximum number of seeds looked ahead
_SUSPECT = 0.2  # p below which two networks are assumed to vary more than the others: cautious
_ROUNDING = 1e-12  # a spread below this share of the scores is rounding, not noise


FloatArray = npt.NDArray[np.float64]


class Bounds(NamedTuple):
    """A difference of two networks with its always-valid interval.

    Attributes:
        difference: difference of the scores, first minus second.
        low, high: ends of the interval; infinite where there are too few seeds.
        seeds: number of seeds that both ran.
        error: the standard error of the difference.
        networks: number of networks the spread is estimated from; 2 where the two vary more
            than the others.
    """

    difference: float
    low: float
    high: float
    seeds: int
    error: float
    networks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether network A is better than network B.

    Attributes:
        verdict: "better", "worse", "same" (the whole interval is within the margin), "not
            enough" seeds, or "refused".
        reason: the same in a sentence, or why there is no answer and what to run.
        difference: A minus B of the metric as it is shown; None where it is refused.
        low, high: ends of its interval; None where there are too few seeds for one.
        seeds: number of seeds that both networks ran.
        more_seeds: about how many more seeds would give an answer if the difference stays as it
            is; None where there is an answer already, or none within reach.
        margin: difference below which networks count as the same; None for none.
        metric: what is compared, such as "validation accuracy".
        networks: names of A and B.
        level: confidence level of the interval.
    """

    verdict: Word
    reason: str
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    seeds: int
    more_seeds: int | None = None
    margin: float | None
    metric: str
    networks: tuple[str, str]
    level: float


def judged(
    run: Run, a: str, b: str, *, margin: float | None = None, level: float = 0.95
) -> Verdict:
    """Judge whether network A of a run is better than network B, on the validation images.

    Args:
        run: finished or not.
        a: name of a network, as in the run or as accepted by `res2net.parse`.
        b: name of the other network.
        margin: margin in points of the metric; None takes that of the run's space file.
        level: confidence level of the interval.

    Raises:
        RunError: one is not a network of the run, or both are the same.
    """
    networks = (_named(run, a), _named(run, b))
    if networks[0] == networks[1]:
        raise RunError(f"{a} and {b}: are the same network; name two different ones")
    score = score_of(run.ranking)
    margin = run.plan.analysis.margin if margin is None else margin
    scores = by_seed(run, networks, run.ranking)
    blank = Verdict(
        verdict=REFUSED, reason="", seeds=scores.shape[1], margin=margin, metric=score.name,
        networks=networks, level=level,
    )  # fmt: skip
    failed = _failures(run, networks)
    if scores.shape[1] < 2:
        return replace(
            blank,
            reason=f"they share {how_many(scores.shape[1], 'seed')}, and it takes 2 to tell a "
            f"difference from chance; {for_more_seeds(run)}{failed}",
        )
    found = bounds(scores, level=level)
    if not found.error > _ROUNDING * float(np.nanmax(np.abs(scores))):
        return replace(
            blank,
            difference=found.difference,
            reason=f"{_constant(scores)}, so nothing is known of chance; look whether the "
            f"seeds were different{failed}",
        )
    verdict = _decided(found, margin, more_is_better=score.more_is_better)
    more = more_seeds(found, margin, level=level) if verdict == NOT_ENOUGH else None
    ends = (found.low, found.high) if math.isfinite(found.low) else (None, None)
    return replace(
        blank,
        verdict=verdict,
        reason=_sentence(found, verdict, score, margin=margin, more=more) + failed,
        difference=found.difference,
        low=ends[0],
        high=ends[1],
        more_seeds=more,
    )


def by_seed(run: Run, networks: Sequence[str], metric: Objective) -> FloatArray:
    """Scores of complete search trials for the seeds that the named networks share.

    Args:
        run: finished or not.
        networks: names of the networks whose shared seeds are used.
        metric: the metric, shown as by `score_of`.

    Returns:
        (networks, seeds): the named networks first, then every other network that ran any of
        these seeds; NaN where it did not.
    """
    whole = run.whole()
    whole = whole[whole[metric.column].notna()]
    mine = whole[whole["name"].isin(networks)]
    counts = mine.groupby("seed")["name"].nunique()
    shared = counts.index[counts == len(networks)]
    kept = whole[whole["seed"].isin(shared)]
    kept = kept.assign(score=score_of(metric).of(kept[metric.column]))
    table = kept.pivot_table(index="name", columns="seed", values="score")
    others = [name for name in table.index if name not in networks]
    return table.reindex([*networks, *others]).to_numpy(dtype=float)


def bounds(scores: FloatArray, *, level: float) -> Bounds:
    """The difference of the first two networks, with an interval valid at every look.

    Args:
        scores: (networks, seeds), the first two without gaps; for one seed there is no
            interval.
        level: confidence level of the interval.
    """
    apart = scores[0] - scores[1]
    seeds, middle = len(apart), float(apart.mean())
    pooled = spread_of(scores)
    away, error = _away(pooled, seeds, level=level)
    networks = pooled.networks
    alone_sigma = float(apart.std(ddof=1)) / math.sqrt(2) if seeds > 1 else math.nan
    own = Spread(alone_sigma, seeds - 1, 2, seeds)
    if _varies_more(own, pooled):
        alone, own_error = _away(own, seeds, level=level)
        if alone > away:
            away, error, networks = alone, own_error, 2
    return Bounds(middle, middle - away, middle + away, seeds, error, networks)


def _away(spread: Spread, seeds: int, *, level: float) -> tuple[float, float]:
    """Half the interval's width for a difference of two networks, and its standard error."""
    error = spread.sigma * math.sqrt(2 / seeds)
    return reach(df=spread.df, seeds=seeds, level=level) * error, error


def _varies_more(own: Spread, pooled: Spread) -> bool:
    """Whether two networks vary more between seeds than the others, by an F test."""
    rest = pooled.df - own.df
    if rest <= 0 or own.df <= 0:
        return False
    others = (pooled.sigma**2 * pooled.df - own.sigma**2 * own.df) / rest
    return bool(others <= 0 or fdtrc(own.df, rest, own.sigma**2 / others) < _SUSPECT)


def more_seeds(found: Bounds, margin: float | None, *, level: float) -> int | None:
    """About how many more seeds would give an answer if difference and spread stay the same."""
    one_seed = found.error * math.sqrt(found.seeds)
    for seeds in range(found.seeds + 1, _MOST_SEEDS + 1):
        df = (found.networks - 1) * (seeds - 1)
        away = reach(df=df, seeds=seeds, level=level) * one_seed / math.sqrt(seeds)
        apart = abs(found.difference)
        if apart > away or (margin is not None and apart + away < margin):
            return seeds - found.seeds
    return None


def _decided(found: Bounds, margin: float | None, *, more_is_better: bool) -> Word:
    if margin is not None and -margin < found.low and found.high < margin:
        return SAME
    if found.low <= 0 <= found.high:
        return NOT_ENOUGH
    return BETTER if (found.difference > 0) == more_is_better else WORSE


def _sentence(
    found: Bounds, verdict: Word, score: Score, *, margin: float | None, more: int | None
) -> str:
    """State the result in words, with everything that it is based on."""
    said = {
        BETTER: "the first is better",
        WORSE: "the first is worse",
        SAME: f"they are the same within {margin} {score.difference}",
        NOT_ENOUGH: "the seeds do not tell yet",
    }[verdict]
    low, high, difference = map(score.signed, (found.low, found.high, found.difference))
    interval = (
        f"interval {low} to {high}, which holds at every look"
        if math.isfinite(found.low)
        else "too few seeds for an interval that holds at every look"
    )
    ahead = ""
    if verdict == NOT_ENOUGH:
        ahead = f"; no {_MOST_SEEDS:,} seeds would tell a difference as small"
        if more is not None:
            seeds = how_many(more, "more seed")
            ahead = f"; about {seeds} would tell, if the difference stays as it is"
    return (
        f"{said}: {difference} {score.difference} ({interval}; {found.seeds} shared "
        f"seeds, spread of {found.networks} networks){ahead}"
    )


def _constant(scores: FloatArray) -> str:
    """Why two networks have no spread between seeds, in words."""
    ends = np.ptp(scores[:2], axis=1) > _ROUNDING * np.abs(scores[:2]).max()
    if ends.any():
        return f"their difference is the same in all {how_many(scores.shape[1], 'seed')}"
    return "their scores do not vary between seeds"


def _failures(run: Run, networks: Sequence[str]) -> str:
    """List the failed trials of the two networks, whose seeds are not compared."""
    trials = run.counted
    trials = trials[trials["name"].isin(networks) & (trials["phase"] == "search")]
    failed = trials[trials["status"].isin(FAILURES)]
    if failed.empty:
        return ""
    shown = ", ".join(
        f"trial {trial} of {name} ({status})"
        for trial, name, status in failed[["trial", "name", "status"]].itertuples(index=False)
    )
    return f"; failed, and so their seeds are left out: {shown}"


def _named(run: Run, name: str) -> str:
    """The name of a network in the run."""
    known = list(dict.fromkeys(run.trials.loc[run.trials["phase"] == "search", "name"]))
    if name in known:
        return name
    data = run.plan.data
    try:
        meant = replace(parse(name), classes=data.classes, channels=data.channels).name
    except ArchitectureError:
        meant = name
    if meant in known:
        return meant
    near = difflib.get_close_matches(meant, known, n=3, cutoff=0.0)
    raise RunError(
        f"{run.folder}: has no network {name}; did you mean {' or '.join(near)}?"
        if near
        else f"{run.folder}: has no network {name}, for no trial has started; let it run"
    )
