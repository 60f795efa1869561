"""Checks a run against published good practice, item by item, from manifest and journal.

Lindauer and Hutter, "Best Practices for Scientific Research on Neural Architecture Search",
JMLR 21(243), 2020; Yang, Esperanca and Carlucci, "NAS evaluation is frustratingly hard", ICLR
2020 (arXiv 1912.12522); Pineau et al., "Improving Reproducibility in Machine Learning
Research", JMLR 22(164), 2021. `analysis.questions.practice` has the answers that need
computation.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import pandas as pd

from analysis.questions import practice
from analysis.questions.practice import Answer, met, not_met, other
from analysis.questions.series import is_along_axes
from analysis.runs.provenance import UNKNOWN, commit_of, hardware_of
from analysis.runs.run import Run
from search.schema.metrics import PERCENT
from search.schema.units import duration
from search.schema.wording import how_many

NAS, HARD, REPRODUCIBLE = "Lindauer and Hutter", "Yang et al.", "Pineau et al."
COLUMNS = ("source", "item", "state", "evidence")


class Item(NamedTuple):
    """An item of a published list, and the function that answers it for a run."""

    source: str
    text: str
    answer: Callable[[Run], Answer]


def checklist(run: Run) -> pd.DataFrame:
    """Every item of the lists with its answer.

    Args:
        run: finished or not.

    Returns:
        COLUMNS, one row per item: `state` is one of `analysis.questions.practice.STATES`, and
        `evidence` is what shows it, or what to do.
    """
    rows = [(item.source, item.text, *item.answer(run)) for item in ITEMS]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _code(run: Run) -> Answer:
    commits = list(dict.fromkeys(map(commit_of, run.starts)))
    said = "; ".join(commits)
    if any(UNKNOWN in one for one in commits):
        return other(f"commit {said}; start from a clone, so that it is recorded")
    if any("not committed" in one for one in commits):
        return not_met(f"{said}; commit before the first start")
    return met(f"commit {said}; no record says whether it is public: name where it is")


def _protocol(run: Run) -> Answer:
    stopped = int((run.trials["status"] == "pruned").sum())
    own = [*run.plan.varied, *(["lr"] if run.plan.lr_rule else [])]
    varied = f", but for {' and '.join(own)}, which vary as planned" if own else ""
    said = (
        f"one recipe ({run.recipe}), one split and {run.lengths} for all"
        f"{varied}; a changed recipe is refused"
    )
    return met(
        said + f"; set apart: {how_many(stopped, 'trial')} stopped early" * bool(stopped)
    )


def _hardware(run: Run) -> Answer:
    devices = {*run.trials["device"].dropna()} - {""}
    machines = {hardware_of(start) for start in run.starts}
    said = "; ".join(sorted(devices) + sorted(machines))
    if not devices or UNKNOWN in machines:
        return other(f"{said or 'no trial has ended'}")
    if len(devices) > 1 or len(machines) > 1:
        return not_met(f"{said}; times are from different machines, so do not compare them")
    return met(said)


def _versions(run: Run) -> Answer:
    written = {
        ", ".join(f"{name} {number}" for name, number in (start.get("versions") or {}).items())
        for start in run.starts
    }
    commits = {start.get("git_commit") for start in run.starts}
    if "" in written:
        return other("a start recorded no versions")
    said = "; ".join(sorted(written))
    if len(written) > 1 or len(commits) > 1:
        return not_met(f"starts differ: {said}; {len(commits)} commits; run it anew with one")
    return met(said)


def _ablation(run: Run) -> Answer:
    axes = is_along_axes(run)
    return not_met(
        "dimensions are taken one at a time, but no part of the recipe was left out in turn"
        if axes
        else "no part of search, block or recipe was left out in turn; run the space again "
        "without each (such as network.se: no), and report the runs together"
    )


def _cost(run: Run) -> Answer:
    seconds = run.trials["seconds"].dropna().astype(float)
    if seconds.empty:
        return other("no trial has ended")
    share, kind = run.device_share
    hours = seconds.sum() * share / 3600
    median = duration(seconds.median())
    reused = int((run.trials["trained_in"].fillna("") != "").sum())
    elsewhere = f"{reused:,} of them were trained in another run; " if reused else ""
    return met(
        f"{hours:.2f} {kind}-hours of {how_many(len(seconds), 'trial')}, one {median} "
        f"(median); {elsewhere}starting, waiting and scoring the test images are not included"
    )


def _tuning(run: Run) -> Answer:
    tune = run.plan.search.tune
    if tune is not None:
        tries = run.trials[(run.trials["phase"] == "search") & (run.trials["repeat"] == 0)]
        hours = tries["seconds"].sum() / 3600
        trials = how_many(len(tries), "trial")
        return met(
            f"{' and '.join(tune.keys)} tuned inside each network: {trials} of "
            f"{run.plan.tries} tries a network, {hours:.2f} hours"
        )
    return not_met(
        "no record says how the recipe was chosen, or what that cost; write both down "
        "beside the run"
    )


def _energy(run: Run) -> Answer:
    joules = run.trials["energy_j"].dropna().astype(float)
    if joules.empty:
        return other("not measured: the device does not report it")
    return met(f"{joules.sum() / 3.6e6:.3f} kWh of {how_many(len(joules), 'trial')}")


def _sizes(run: Run) -> Answer:
    data = run.plan.data
    lost = how_many(len(run.left_out), "image")
    left = f"; {lost} could not be read, and named here" if run.left_out else ""
    return met(
        f"{data.train:,} images to train, {data.validation:,} to validate, {data.test:,} to "
        f"test; cut from train with a fixed seed{left}"
    )


def _measure(run: Run) -> Answer:
    named = ", ".join(f"{one.direction} {one.label}" for one in run.objectives)
    unit = " in percent" if run.ranking.unit == PERCENT else ""
    return met(
        f"{named}; ranked by {run.ranking.label}{unit} after the last epoch, not the best"
    )


def _counts(run: Run) -> Answer:
    counts = run.trials["status"].value_counts()
    said = ", ".join(f"{count:,} {status}" for status, count in counts.items())
    if not run.finished:
        return not_met(f"{said} of {run.planned:,} planned; let the run end")
    return met(f"{said}; failed trials are listed with their reasons")


ITEMS: Sequence[Item] = (
    Item(NAS, "The code is released: its commit is known", _code),
    Item(NAS, "All networks are trained and judged by one protocol", _protocol),
    Item(NAS, "All networks are trained with the same seeds", practice.seeds),
    Item(NAS, "All are trained on the same hardware", _hardware),
    Item(NAS, "All are trained with the same versions of software", _versions),
    Item(NAS, "Ablation studies", _ablation),
    Item(NAS, "Compared with random search", practice.random_search),
    Item(NAS, "The search is repeated", practice.repeated),
    Item(
        NAS, "The network that is named is trained again with fresh seeds", practice.confirmed
    ),
    Item(NAS, "The cost of the whole search is reported", _cost),
    Item(NAS, "The cost of tuning the recipe is reported", _tuning),
    Item(HARD, "Improvement over the average random network", practice.over_average),
    Item(REPRODUCIBLE, "The exact data can be obtained", practice.data),
    Item(REPRODUCIBLE, "Sizes of the splits, and what was left out", _sizes),
    Item(REPRODUCIBLE, "The test images are used once", practice.test_images),
    Item(REPRODUCIBLE, "The measure is defined", _measure),
    Item(REPRODUCIBLE, "The number of runs is given, failures among them", _counts),
    Item(REPRODUCIBLE, "Means come with their variation", practice.variation),
    Item(REPRODUCIBLE, "Energy is reported", _energy),
    Item(REPRODUCIBLE, "Trained weights are kept", practice.weights),
)
