"""Tests whether networks compare at one common learning rate as they do at their own best.

Input: a run whose networks were tried with several learning rates. Output: for each network its
best rate and its score at that rate, at one rate for all, and at a rate that falls with depth
(arXiv 2602.07494); how the best rate depends on depth; and whether the order of networks
changes.

Rates are chosen on validation images with all seeds but one, and judged on test images with
that one, in turn, so that no rate is judged by the luck that selected it.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.runs.depths import depths
from analysis.runs.run import FAILURES, Run, RunError
from analysis.runs.scores import losses
from analysis.statistics.intervals import Interval, StatisticsError, t_interval
from analysis.statistics.resampling import exact_p, rank_correlation
from res2net import Architecture, ArchitectureError
from res2net.receptive import effective_depth
from search.schema.settings import suffix

LAW = -1.5  # exponent of the best rate as a power of effective depth
OWN, COMMON, RULE = "own", "common", "rule"
_FEWEST_RATES, _FEWEST_NETWORKS = 3, 2
_AROUND = 2  # rates on each side of the best that a parabola is fitted to

_Floats = npt.NDArray[np.float64]


class Tried(NamedTuple):
    """The scores of networks with each rate and seed.

    Attributes:
        names: names of the networks, shallowest first.
        depths: effective depth of each; None where it is equal for all, or not known for all.
        rates: learning rates, ascending.
        validation, test: (networks, rates, seeds), as losses.
    """

    names: tuple[str, ...]
    depths: tuple[int, ...] | None
    rates: _Floats
    validation: _Floats
    test: _Floats


class Rates(NamedTuple):
    """The comparison of learning-rate policies.

    Attributes:
        table: one row per network: `name`, `effective_depth`, `best_rate`, and its test score
            at its own best rate, at the `common` rate and by the `rule`, as losses.
        common: the rate that is best on average over all networks.
        lost: points that `common` and `rule` lose compared with the networks' own rates, on
            average over networks; intervals over seeds.
        tau: rank correlation of the networks at their own rates with those under each other
            policy; with an interval, or, for few networks, the exact p in `p`.
        exponent: exponent of the best rate as a power of effective depth; None where depth does
            not vary or there is only one seed.
        seeds: number of seeds with which each network and rate was trained.
        at_edge: networks whose best rate is the smallest or the largest that was tried.
    """

    table: pd.DataFrame
    common: float
    lost: dict[str, Interval]
    tau: dict[str, Interval]
    p: dict[str, float | None]
    exponent: Interval | None
    seeds: int
    at_edge: tuple[str, ...]


def tried(run: Run) -> Tried:
    """Collect the scores of each network with each learning rate.

    Args:
        run: finished or not. Only rates tried with every network count, and only seeds with
            which every network was tried with all of these rates; in a tuned run that is the
            first seed. A failed trial counts as the worst of all.

    Raises:
        RunError: networks were not tried with three rates each; states what to write.
    """
    trials = _of_networks(run)
    first = trials[trials["repeat"] == 0].groupby("network")["lr"].agg(set)
    rates = sorted(set.intersection(*first)) if len(first) else []
    if len(rates) < _FEWEST_RATES or len(first) < _FEWEST_NETWORKS:
        raise RunError(
            f"{run.folder}: no {_FEWEST_NETWORKS} networks were tried with the same "
            f"{_FEWEST_RATES} learning rates or more; write training: {{lr: {{from: 0.02, to: "
            "0.4, log: true}} and search: {tune: [lr]}, or let more trials end"
        )
    trials = trials[trials["lr"].isin(rates)]
    counts = trials["repeat"].value_counts()
    seeds = sorted(int(one) for one in counts.index[counts == len(rates) * len(first)])
    shape = (len(first), len(rates), len(seeds))
    networks = trials.drop_duplicates("network").set_index("network")
    deep = _depths(run, networks)
    sizes = networks["macs"].to_dict() | deep
    order = sorted(map(str, first.index), key=sizes.__getitem__)
    cells = pd.MultiIndex.from_product([order, rates, seeds])
    indexed = trials.set_index(["network", "lr", "repeat"])
    grids = []
    for metric in (run.ranking, run.tested):
        values = losses(metric, indexed[metric.column].astype(float)).reindex(cells)
        grids.append(values.fillna(values.max()).to_numpy().reshape(shape))
    known = tuple(deep[name] for name in order) if len({*deep.values()}) > 1 else None
    return Tried(tuple(order), known, np.array(rates), grids[0], grids[1])


def _of_networks(run: Run) -> pd.DataFrame:
    """Ended search trials with a learning rate of their own, one per network, rate and seed.

    `network` is the name of the network without the rate.
    """
    trials = run.trials
    ended = trials["status"].isin(("ok", *FAILURES)) & (trials["phase"] == "search")
    if "lr" not in trials or run.plan.lr_rule:
        return trials[ended & False].assign(network="", lr=0.0)
    found = trials[ended & trials["lr"].notna()]
    ends = found["lr"].map(lambda rate: suffix("lr", rate))
    names = [n.replace(end, "") for n, end in zip(found["name"], ends, strict=True)]
    found = found.assign(network=names)
    # Other tuned settings differ between tries with one rate: the best try represents the rate.
    ranks = losses(run.ranking, found[run.ranking.column].astype(float))
    best = found.loc[ranks.sort_values(kind="stable").index]
    return best.drop_duplicates(["network", "lr", "repeat"]).sort_index()


def _depths(run: Run, networks: pd.DataFrame) -> dict[str, int]:
    """The effective depth of each network; empty if the table does not determine all."""
    known = depths(run)
    deep = [known[name] for name in networks["name"]]
    pairs = zip(networks["skeleton"].astype(str), deep, strict=True)
    try:
        counted = [effective_depth(Architecture(skeleton=kind, depth=d)) for kind, d in pairs]
    except ArchitectureError:
        return {}
    return dict(zip(map(str, networks.index), counted, strict=True))


def compared(found: Tried, *, level: float = 0.95) -> Rates:
    """Compare the networks at their own best rates, at a common rate and by the rule.

    Args:
        found: from `tried`.
        level: confidence level of the intervals.
    """
    seeds = found.validation.shape[2]
    reached: dict[str, list[_Floats]] = {}
    for held in range(seeds):
        others = [seed for seed in range(seeds) if seed != held] or [held]
        mean: _Floats = found.validation[:, :, others].mean(axis=2)
        for policy, wanted in _chosen(found, mean).items():
            judged = _at(found.test[:, :, held], found.rates, wanted)
            reached.setdefault(policy, []).append(judged)
    means: dict[str, _Floats] = {p: np.mean(rows, axis=0) for p, rows in reached.items()}
    policies = [policy for policy in (COMMON, RULE) if policy in means]
    taus = {policy: _tau(means[OWN], means[policy], level=level) for policy in policies}
    everything: _Floats = found.validation.mean(axis=2)
    at, best = _chosen(found, everything), everything.argmin(axis=1)
    edges = np.isin(best, (0, len(found.rates) - 1))
    unknown: _Floats = np.full(len(found.names), np.nan)
    columns = {
        "name": found.names,
        "effective_depth": unknown if found.depths is None else found.depths,
        "best_rate": at[OWN],
        "rule_rate": at.get(RULE, unknown),
    }
    table = pd.DataFrame(columns | means)
    return Rates(
        table=table,
        common=float(at[COMMON][0]),
        lost={
            policy: t_interval(
                [float((one - own).mean()) for one, own in _pairs(reached, policy)], level=level
            )
            for policy in policies
        },
        tau={policy: tau for policy, (tau, _) in taus.items() if tau is not None},
        p={policy: p for policy, (_, p) in taus.items()},
        exponent=_exponent(found, level=level),
        seeds=seeds,
        at_edge=tuple(np.array(found.names)[edges].tolist()),
    )


def _pairs(reached: dict[str, list[_Floats]], policy: str) -> Iterator[tuple[_Floats, _Floats]]:
    """Pairs of scores by a policy and at the networks' own rates, seed by seed."""
    return zip(reached[policy], reached[OWN], strict=True)


def _chosen(found: Tried, known: _Floats) -> dict[str, _Floats]:
    """The rate that each policy chooses for each network.

    Args:
        found: provides rates and depths.
        known: (networks, rates), the losses by which rates are chosen.
    """
    count = len(found.names)
    chosen = {
        OWN: found.rates[known.argmin(axis=1)],
        COMMON: np.full(count, found.rates[known.mean(axis=0).argmin()]),
    }
    if found.depths is not None:
        shares = (np.array(found.depths) / found.depths[0]) ** LAW
        constants = [
            float(np.mean(_at(known, found.rates, rate * shares))) for rate in found.rates
        ]
        chosen[RULE] = found.rates[int(np.argmin(constants))] * shares
    return chosen


def _at(grid: _Floats, rates: _Floats, wanted: _Floats) -> _Floats:
    """(networks,): each network's loss at a rate, interpolated linearly in the log rate."""
    ends = np.clip(wanted, rates[0], rates[-1])
    rows = zip(grid, ends, strict=True)
    return np.array([np.interp(np.log(rate), np.log(rates), row) for row, rate in rows])


def _tau(own: _Floats, other: _Floats, *, level: float) -> tuple[Interval | None, float | None]:
    """Kendall's tau_b of two scores of the networks, and the exact p if there are few."""
    try:
        return rank_correlation(own, other, level=level), exact_p(own, other)
    except StatisticsError:
        return None, None


def _exponent(found: Tried, *, level: float) -> Interval | None:
    """Dependence of the best rate on effective depth: the log-log slope, by seed."""
    if found.depths is None or found.validation.shape[2] == 1:  # one says nothing about chance
        return None
    depth = np.log(found.depths)
    slopes = []
    for seed in range(found.validation.shape[2]):
        best = [_lowest(found.rates, row) for row in found.validation[:, :, seed]]
        slopes.append(float(np.polyfit(depth, best, 1)[0]))
    return t_interval(slopes, level=level)


def _lowest(rates: _Floats, row: _Floats) -> float:
    """Log rate at the minimum of a parabola fitted to the best rate and its neighbours."""
    logs, best = np.log(rates), int(row.argmin())
    near = slice(max(0, best - _AROUND), best + _AROUND + 1)
    curve = np.polyfit(logs[near], row[near], 2)
    if curve[0] <= 0:
        return float(logs[best])
    return float(np.clip(-curve[1] / (2 * curve[0]), logs[near][0], logs[near][-1]))
