"""Tests whether networks keep their ranks when their trained weights go to another task.

Input: a run whose backbones were initialised with weights of another study, the source. Output:
the mean score of each network there and here, over the same seeds; Kendall's tau_b of the two;
and how many of the pairs that differ clearly in the source differ in the same way here. The
source's scores are taken from the run's own manifest.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.questions.fidelity import FEWEST
from analysis.questions.pairs import labelled
from analysis.questions.stopping import FIXED, Rule, bounded, rule_of
from analysis.runs.networks import failures
from analysis.runs.run import Run, RunError
from analysis.runs.scores import losses
from analysis.statistics.components import ceiling
from analysis.statistics.intervals import Interval, StatisticsError
from analysis.statistics.mixed import estimate, fit
from analysis.statistics.resampling import exact_p, rank_correlation
from search.design.contrasts import pairs
from search.schema.metrics import Objective, on_test
from search.schema.transfer import PlannedTransfer

MOST = 24  # networks compared in pairs: 276 simultaneous pairs
COLUMNS = ("name", "label", "macs", "seeds", "source", "here")


class Pairs(NamedTuple):
    """Pairs of networks that differ clearly in the source, by their difference in this task."""

    all: int  # all pairs
    apart: int  # that differ clearly in the source
    same: int  # of these, clearly different here with the same one better
    opposite: int  # the same with the other one better

    @property
    def untold(self) -> int:
        """How many of the pairs that differ clearly in the source do not in this task."""
        return self.apart - self.same - self.opposite


class Transferred(NamedTuple):
    """The comparison of ranks in the source and here.

    Attributes:
        source: the metric by which networks were compared in the source.
        trials: one row for each network and seed: `name`, `repeat`, `macs`, and `source` and
            `here`, the scores in both.
        table: COLUMNS, one row per network, the source's best first: `label` distinguishes it
            from the others; scores are means over its seeds.
        tau: Kendall's tau_b of the means over networks.
        p: exact p, where networks are too few for an interval.
        pairs: None where each network has only one seed, for more than MOST networks, and for a
            run that may not be tested yet.
        ceilings: the tau that two independent sets of as many seeds would have, there and here;
            None where the seeds cannot give it.
    """

    source: Objective
    trials: pd.DataFrame
    table: pd.DataFrame
    tau: Interval
    p: float | None
    pairs: Pairs | None
    ceilings: tuple[Interval | None, Interval | None]


def transferred(run: Run, *, level: float = 0.95) -> Transferred:
    """Compare the ranks of networks in the source of their weights with those in a run.

    Args:
        run: finished or not; networks that lost a seed are left out.
        level: confidence level of the intervals.

    Raises:
        RunError: no weights came from another study, its scores cannot be compared, or fewer
            than four networks were completed.
    """
    taken = run.plan.transfer
    if taken is None:
        raise RunError(
            f"{run.folder}: no backbone began with the weights of another study; write "
            "transfer: {from: RUN}"
        )
    source = _source(run, taken)
    trials = _trials(run, taken, source)
    table = _means(trials, source, labelled(run.whole()))
    if len(table) < FEWEST:
        raise RunError(
            f"{run.folder}: {len(table)} network(s) were trained whole with every seed, and "
            f"ranks are compared of {FEWEST} or more; keep more networks in the source, or let "
            "more trials end"
        )
    there, here = losses(source, table["source"]), losses(run.tested, table["here"])
    try:
        tau, p = rank_correlation(there, here, level=level), exact_p(there, here)
    except StatisticsError as error:
        raise RunError(
            f"{run.folder}: the networks have no ranks to compare: {error}"
        ) from error
    return Transferred(
        source=source,
        trials=trials,
        table=table,
        tau=tau,
        p=p,
        pairs=_pairs(run, source, trials, level=level),
        ceilings=(_ceiling(trials, "source"), _ceiling(trials, "here")),
    )


def _source(run: Run, taken: PlannedTransfer) -> Objective:
    """The metric of the source on its test images, or on validation if it has no other."""
    if taken.objective is None:
        raise RunError(
            f"{run.folder}: its weights come from studies that were compared by different "
            "metrics, which give no common rank; take those of one task"
        )
    validation = taken.objective.objective
    tested = on_test(validation)
    for one in (tested, validation):
        if all(one.name in each.scores for each in taken.files):
            return one
    raise RunError(
        f"{run.folder}: the files of its weights do not tell {validation.name} of each trial; "
        "train the source again"
    )


def _trials(run: Run, taken: PlannedTransfer, source: Objective) -> pd.DataFrame:
    whole = run.whole()
    whole = whole[whole[run.tested.column].notna() & ~whole["name"].isin(failures(run).index)]
    known = {(one.network, one.repeat): one.scores[source.name] for one in taken.files}
    # Longest first: if settings vary, a suffix follows the network's name.
    networks = sorted({name for name, _ in known}, key=len, reverse=True)
    names = [next(n for n in networks if name.startswith(n)) for name in whole["name"]]
    frame = whole[["repeat", "macs"]].assign(name=names, here=whole[run.tested.column])
    frame = frame.astype({"here": float})
    frame = frame.groupby(["name", "repeat"], as_index=False)[["macs", "here"]].mean()
    keys = zip(frame["name"], frame["repeat"], strict=True)
    return frame.assign(source=[known[str(name), int(repeat)] for name, repeat in keys])


def _means(trials: pd.DataFrame, source: Objective, labels: Mapping[str, str]) -> pd.DataFrame:
    """Compute the table: one row per network."""
    groups = trials.groupby("name")
    means = groups[["macs", "source", "here"]].mean().assign(seeds=groups.size())
    order = losses(source, means["source"]).sort_values(kind="stable").index
    ordered = means.loc[order].reset_index()
    return ordered.assign(label=[labels.get(name, name) for name in ordered["name"]])[
        list(COLUMNS)
    ]


def _pairs(run: Run, source: Objective, trials: pd.DataFrame, *, level: float) -> Pairs | None:
    """Compare every pair of networks in the source and in this task."""
    names = list(dict.fromkeys(trials["name"]))
    rule = rule_of(run)
    if len(names) > MOST or trials["repeat"].nunique() < 2 or not rule.tested:
        return None
    asked = [one.weights for one in pairs(names)]
    there = _signs(trials, losses(source, trials["source"]), asked, FIXED, level=level)
    here = _signs(trials, losses(run.tested, trials["here"]), asked, rule, level=level)
    if there is None or here is None:
        return None
    apart = there != 0
    return Pairs(
        all=len(asked),
        apart=int(apart.sum()),
        same=int((apart & (here == there)).sum()),
        opposite=int((apart & (here == -there)).sum()),
    )


def _signs(
    trials: pd.DataFrame,
    scores: pd.Series,
    asked: Sequence[Mapping[str, float]],
    rule: Rule,
    *,
    level: float,
) -> np.ndarray | None:
    """Which of two networks is better, -1 or 1; 0 if simultaneous intervals contain 0."""
    model = fit(trials["name"].tolist(), trials["repeat"].tolist(), scores.tolist())
    if not (model.df > 0 and model.sigma > 0):
        return None
    found = estimate(model, asked)
    _, at_once = bounded(found, rule, seeds=model.seeds, level=level)
    told = np.abs(found.value) > at_once.reach
    return np.where(told, np.sign(found.value), 0).astype(int)


def _ceiling(trials: pd.DataFrame, side: str) -> Interval | None:
    try:
        return ceiling(*(trials[key].tolist() for key in ("name", "repeat", side)))
    except StatisticsError:
        return None
