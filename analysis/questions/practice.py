"""Answers items of `analysis.questions.checklist` that are computed from a run's trials."""

import json
from typing import NamedTuple

from analysis.questions.best import best_networks
from analysis.questions.confirmed import failed_words
from analysis.questions.remedies import for_more_seeds
from analysis.questions.sampling import no_sample
from analysis.questions.series import is_along_axes
from analysis.runs.networks import averaged, confirmations, failures, left_out_words, networks
from analysis.runs.run import Run, RunError
from analysis.runs.scores import losses
from search.schema.datasets import DATASETS
from search.schema.wording import how_many

MET, NOT_MET, NOT_KNOWN, NOT_ASKED = "met", "not met", "not known", "not asked"
STATES = (MET, NOT_MET, NOT_KNOWN, NOT_ASKED)
_UNSEALED = "unsealed.json"  # written by `analysis.verdict`


class Answer(NamedTuple):
    """One of STATES, with the evidence or what to do."""

    state: str
    evidence: str


def met(evidence: str) -> Answer:
    """Answer that the item is met, with the evidence."""
    return Answer(MET, evidence)


def not_met(evidence: str) -> Answer:
    """Answer that the item is not met, with the reason and what to do."""
    return Answer(NOT_MET, evidence)


def other(evidence: str, state: str = NOT_KNOWN) -> Answer:
    """Answer that the record does not say, or, with NOT_ASKED, that the item does not apply."""
    return Answer(state, evidence)


def seeds(run: Run) -> Answer:
    """Whether all networks were trained with the same seeds, and more than one."""
    groups = run.whole().groupby("name")["seed"].agg(frozenset)
    if groups.empty:
        return other("no trial was trained to its end")
    most, shared = max(map(len, groups)), len({*groups}) == 1
    if most == 1 and run.plan.search.seeds == 1:
        same = "the same one" if shared else "one, not the same,"
        return not_met(
            f"{same} for each network; with search.seeds: 3 or more, luck can be told apart"
        )
    if not shared:
        lost = int(failures(run).sum())
        if lost:
            trials = f"{how_many(lost, 'trial')} of them failed"
            return not_met(f"networks have different seeds, up to {most}: {trials}")
        return not_met(f"networks have different seeds, up to {most}; {for_more_seeds(run)}")
    networks_of = how_many(len(groups), "network")
    return met(f"the same {how_many(most, 'seed')} for each of {networks_of}")


def random_search(run: Run) -> Answer:
    """Whether the search result is compared with random search."""
    sampler, traits = run.plan.search.sampler.name, run.manifest.sampler_traits
    if "uniform" in traits:
        return other(f"sampler: {sampler} is random search itself", NOT_ASKED)
    if traits & {"axes", "exhaustive"}:
        return other(
            f"sampler: {sampler} trains what was planned, and does not search", NOT_ASKED
        )
    return not_met(
        f"run the space with sampler: random for as many trials as with sampler: {sampler}, "
        "and report both runs together"
    )


def repeated(run: Run) -> Answer:
    """Whether the whole search was repeated with several seeds."""
    if run.manifest.sampler_traits & {"axes", "exhaustive"}:
        return other("its networks were planned, so a second search finds the same", NOT_ASKED)
    seed = run.plan.search.seed
    return not_met(
        f"one search (search.seed: {seed}); run it again with --set search.seed={seed + 1} and "
        "another --out, and report the runs together"
    )


def confirmed(run: Run) -> Answer:
    """Whether the network that is named was trained again with seeds not used to select it."""
    again, lost = confirmations(run), failures(run, "confirm")
    ranked = networks(run)["name"].tolist()
    if again.empty and lost.empty:
        if run.plan.confirm and ranked and not run.finished:
            return not_met("no confirmation has ended yet; let the run go on")
        return not_met(
            "the quoted scores are those that chose it; write confirm: "
            f"{{top: 3, seeds: 3, epochs: {run.plan.training.epochs}}}"
        )
    said = (
        f"{how_many(again['name'].nunique(), 'network')}, "
        f"{how_many(len(again), 'trial')} with fresh seeds"
    )
    failed = [failed_words(run, name) for name in lost.index]
    said = "; ".join([said, *failed])
    if ranked and ranked[0] in {*again["name"]}:
        return met(said)
    if ranked and ranked[0] in lost.index:
        return not_met(f"{said}; mend the cause and start the study with --retry failed")
    named = f"{ranked[0]}, which is named, is none of them" if ranked else "none is named"
    wait = "; let the run go on" * (not run.finished)
    return not_met(f"{said}; {named}{wait}")


def over_average(run: Run) -> Answer:
    """Relative improvement over the average of random networks (Yang et al. 2020)."""
    if is_along_axes(run):
        return other("its networks were planned: there is no search to improve", NOT_ASKED)
    reason = no_sample(run)
    if reason:
        return not_met(f"the average random network is not known: {reason}")
    means = averaged(run).dropna(subset=["val", "test"])
    if len(means) < 2:
        return other("fewer than two networks were trained to their end")
    best = int(losses(run.ranking, means["val"]).to_numpy().argmin())
    scores = run.score.of(means["test"]).to_numpy(dtype=float)
    mean, worth = float(scores.mean()), _worth(run, means["name"].iloc[best])
    found = float(scores[best]) if worth is None else worth
    if mean <= 0:
        return other(f"{run.score.label} of the average network is {mean:.4g}, no scale for it")
    form, lost = run.score.form(), " that lost no seed" * bool(left_out_words(run))
    gain = 100 * (found - mean) / mean * (1 if run.score.more_is_better else -1)
    said = (
        f"{run.score.label}: {found:{form}} of the network that validation chose"
        f"{'' if worth is None else ' (shrunken: without the luck of being chosen)'}, "
        f"{mean:{form}} of the average of {len(means):,}{lost}: {gain:+.1f} % relative"
    )
    if worth is None:
        return not_met(
            f"{said}, from the seeds that also chose it: confirm it with fresh seeds"
        )
    return met(said)


def _worth(run: Run, name: str) -> float | None:
    """The test score of a network without its luck; None where that is not known."""
    try:
        rows = best_networks(run).set_index("name")
    except RunError:
        return None
    return float(run.score.of(rows.loc[[name], "test"]).iloc[0]) if name in rows.index else None


def data(run: Run) -> Answer:
    """Whether anyone can train on exactly the same images."""
    plan = run.plan.data
    if any(one.key.startswith("data") for one in run.manifest.parts):
        return other(f"{plan.name} is a foreign part; say where its images can be obtained")
    if plan.digest:
        return other(
            f"SHA-256 of the files' names {plan.digest[:16]}...; there is no digest of their "
            "contents: publish one beside the images"
        )
    if DATASETS[plan.name].md5:
        return met(f"{plan.name}, the official files, whose md5 is checked at each start")
    if DATASETS[plan.name].annotated:
        return other(f"{plan.name}: files as they are published, of which no digest is checked")
    if DATASETS[plan.name].tree:
        return other(f"{plan.name}: a tree of files without a digest")
    return met(f"{plan.name} is part of the program")


def test_images(run: Run) -> Answer:
    """Whether the test images were not used for selection."""
    path = run.folder / _UNSEALED
    said = "scored once, at the end of each whole trial; networks are chosen by validation"
    if not path.is_file():
        return met(said)
    try:
        opened = len(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return other(f"{said}; {_UNSEALED} is damaged, which says whether they were opened")
    times = how_many(opened, "time")
    return not_met(f"{said}; but opened {times} for verdicts ({_UNSEALED})")


def variation(run: Run) -> Answer:
    """Whether means have intervals."""
    table = networks(run)
    several = int((table["seeds"] > 1).sum())
    if not several:
        return not_met("one seed per network: no interval; search.seeds: 3, or confirm")
    return met(f"95 % intervals over seeds of {several:,} of {how_many(len(table), 'network')}")


def weights(run: Run) -> Answer:
    """Whether trained weights are kept in the folder of the run."""
    kept = len(list((run.folder / "networks").glob("*.safetensors")))
    if not kept:
        return not_met("none are in networks/ of the run's folder; keep: {best: 1} keeps some")
    return met(f"{how_many(kept, 'file')} in networks/")
