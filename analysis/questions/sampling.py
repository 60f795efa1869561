"""Decides whether the networks of a run are a sample of its space, by the traits of its parts.

Statements about a whole space (importance, distributions) are valid only if they are. A sampler
or scheduler that does not declare traits is assumed to select networks.
"""

import pandas as pd

from analysis.runs.run import Run
from search.study.events import Status


def no_sample(run: Run, *, of_sizes: bool = False) -> str:
    """Why the networks of a run are not a sample of its space; empty if they are.

    Args:
        run: finished or not.
        of_sizes: whether a sample within each size is sufficient.
    """
    selected = _stopped(run) or _turned_away(run) or _warm(run)
    if of_sizes and is_stratified(run):
        return selected
    return selected or _by_band(run) or _chosen(run)


def is_stratified(run: Run) -> bool:
    """Whether networks were drawn equally from each bin of multiply-adds."""
    traits = run.manifest.sampler_traits
    by_band = "uniform" in traits and bool(_by_band(run))
    return "stratified" in traits or by_band


def tried(run: Run) -> int:
    """Number of networks that a run has tried, except those still running."""
    trials = run.trials[run.trials["phase"] == "search"]
    return int(trials.loc[trials["status"] != "running", "name"].nunique())


def is_whole(run: Run) -> bool:
    """Whether every candidate of the space was tried, which leaves no sampling error."""
    return tried(run) == run.manifest.candidates


def _stopped(run: Run) -> str:
    traits = run.manifest.scheduler_traits
    pruned = bool((run.trials["status"] == "pruned").any())
    if not pruned and (not traits or run.finished):
        return ""
    says = f" ({run.plan.scheduler.name}: {', '.join(sorted(traits))})" if traits else ""
    were = "were" if pruned else "may yet be"
    return (
        f"trials {were} stopped early{says}, so what is left is the best of what was sampled; "
        "run it with scheduler: {name: fifo}"
    )


def _warm(run: Run) -> str:
    """How results of other runs selected; empty if the search began with none."""
    if not run.plan.search.warm_start:
        return ""
    return (
        "its search began with the results of other runs (search.warm_start) and left out "
        "their networks, so what it tried is no sample; run it without warm_start"
    )


def _by_band(run: Run) -> str:
    """How bands of the budget selected; empty if it has none, or tried all candidates."""
    search = run.plan.search
    if not search.per_band or is_whole(run):
        return ""
    return (
        f"it drew as many networks from each band of the budget (search.per_band: "
        f"{search.per_band}), however many candidates a band holds: of the space as it is that "
        "is no sample; write search.trials instead"
    )


def _turned_away(run: Run) -> str:
    """How a score of untrained networks selected; empty if it rejected no network.

    A measured budget does not count as selection: what it rejects is not part of the space.
    """
    rule = run.plan.zero_cost
    if rule is None or rule.keep is None:
        return ""
    rejected = run.trials[run.trials["status"] == Status.REJECTED.value]
    outside = pd.Series(False, index=rejected.index)
    for limits in run.plan.budget.measured():
        outside |= rejected[limits.objective.column].map(limits.broken).astype(bool)
    count = rejected.loc[~outside, "name"].nunique()
    if not count:
        return ""
    return (
        f"{count:,} of its networks were not trained because of their {rule.by} "
        f"(zero_cost.keep: {100 * rule.keep:.3g}%), so what is left is the best of what was "
        "sampled by that; run it without zero_cost.keep"
    )


def _chosen(run: Run) -> str:
    """How the sampler selected; empty if every candidate was equally likely."""
    sampler, traits = run.plan.search.sampler.name, run.manifest.sampler_traits
    if "uniform" in traits:
        return ""
    if "exhaustive" in traits:
        return _part(run)
    if "axes" in traits:
        return (
            f"its sampler was {sampler}, which leaves the base in one dimension at a time: "
            "there are no combinations to explain; run the space with sampler: random, or read "
            "the series"
        )
    if "adaptive" in traits:
        return (
            f"its sampler was {sampler}, which looks at results: where it looked most is not "
            "where most is to be had; run the space with sampler: random"
        )
    if is_stratified(run):
        return (
            f"its sampler was {sampler}, which draws alike from each bin of multiply-adds: of "
            "the space as it is that is no sample; compare such runs with each other, which is "
            "done at equal complexity, or run the space with sampler: random"
        )
    return (
        f"its sampler was {sampler}, which lacks the traits uniform and exhaustive, so nothing "
        "says that each candidate was as likely to be drawn; add `traits = {'uniform'}` to the "
        "sampler if it is so, or run the space with sampler: random"
    )


def _part(run: Run) -> str:
    """How much of the space an exhaustive sampler left out; empty if it tried all of it."""
    sampler, candidates = run.plan.search.sampler.name, run.manifest.candidates
    if candidates is None:
        return (
            f"its sampler was {sampler}, of which all candidates are a sample and a part is "
            "none, and its manifest is of a version that did not write down how many there "
            "are; run the space with sampler: random"
        )
    if not is_whole(run):
        return (
            f"its sampler was {sampler}, and {tried(run):,} of {candidates:,} candidates were "
            "tried: a part in its order is no sample; let it try all, or run the space with "
            "sampler: random"
        )
    return ""
