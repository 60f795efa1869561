"""Bad input about samplers is named before anything runs."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from res2net.plugins import PluginError
from search.engine.checking import check_parts
from search.plan import picture
from search.samplers.ordered import Tried
from search.samplers.planned import sampler_of
from search.schema.yaml import ConfigError
from search.space.prior import places_of
from tests.search.spaces import TINY, plan_of, resolved_of


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("isomacs", r"search.solve: is missing: isomacs compares networks of equal cost"),
        (
            "cmaes, trials: 3, objectives: [val_error, macs]",
            r"search.sampler: .*'cmaes' looks at one objective, but there are val_error, macs",
        ),
        (
            "random, trials: 3, prior: {scale: 1}",
            r"search.prior: .*is not used by random; write sampler: tpe or gp",
        ),
        (
            "tpe, trials: 3, prior: {scale: 7}",
            r"search.prior.scale: 7 is not among the values of network.scale \(1, 2, 3\)",
        ),
        ("tpe, trials: 3, prior: {se: true}", r"search.prior.se: does not vary in this space"),
        (
            "tpe, trials: 3, prior: {depth: [1, 1, 2]}",
            r"search.prior.depth: 1\.1\.2 is not among the values of network.depth \(11, 20\)",
        ),
        ("tpe, trials: 3, prior: {scal: 2}", r"search.prior.scal: .*did you mean 'scale'"),
        ("{name: evolution, samples: 3}, trials: 3", r"samples.*did you mean 'sample'"),
        ("nsga, trials: 3", r"is not a known sampler; did you mean 'nsga"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, written: str, message: str) -> None:
    line = next(line for line in TINY.splitlines() if line.startswith("search:"))
    text = TINY.replace(line, f"search: {{sampler: {written}}}")
    with pytest.raises(ConfigError, match=message):
        plan_of(tmp_path, text)


@pytest.mark.parametrize(
    ("network", "one", "other"),
    [
        ("network.depth=[11, 20]", "{depth: [1, 1, 1]}", "{depth: 11}"),
        ("network.depth={per_stage: [1, 2]}", "{depth: 11}", "{depth: [1, 1, 1]}"),
        ("network.scale={per_stage: [1, 2]}", "{scale: 2}", "{scale: [2, 2, 2]}"),
        ("network.scale=[1, 2, 3]", "{scale: [2, 2, 2]}", "{scale: 2}"),
    ],
)
def test_a_prior_of_one_network_is_one_however_it_is_written(
    tmp_path: Path, network: str, one: str, other: str
) -> None:
    proposals = []
    for prior in (one, other):
        search = f"search={{sampler: tpe, trials: 8, prior: {prior}}}"
        plan, surveyed = resolved_of(tmp_path, TINY, network, "budget={}", search)
        sampler = sampler_of(plan, surveyed)
        for trial in range(8):
            sampler.take(sampler.propose(trial))
            proposals.append(surveyed.name(sampler.propose(trial)))
    assert proposals[:8] == proposals[8:]


def test_a_prior_may_be_of_equal_blocks_that_no_number_stands_for(tmp_path: Path) -> None:
    network = ("network.skeleton=imagenet", "network.depth=[[5, 5, 5, 5], [3, 4, 6, 3]]")
    search = "search={sampler: tpe, trials: 3, prior: {depth: [5, 5, 5, 5]}}"
    plan, surveyed = resolved_of(tmp_path, TINY, *network, "budget={}", search)
    assert plan.search.prior is not None
    (depth,) = (one for one in surveyed.dimensions if one.name == "depth")
    place = places_of(plan.search.prior, surveyed.dimensions)[surveyed.dimensions.index(depth)]
    assert depth.values[place] == (5, 5, 5, 5)


def test_a_prior_speaks_of_each_stage(tmp_path: Path) -> None:
    network = "network.scale={per_stage: [1, 2, 3]}"
    search = "search={sampler: tpe, trials: 3, prior: {scale: [1, 3, 2]}}"
    plan, surveyed = resolved_of(tmp_path, TINY, network, search)
    assert plan.search.prior is not None
    places = places_of(plan.search.prior, surveyed.dimensions)
    pairs = zip(surveyed.dimensions, places, strict=True)
    told = {one.name: one.values[place] for one, place in pairs if place >= 0}
    assert told == {"scale of stage 1": 1, "scale of stage 2": 3, "scale of stage 3": 2}
    with pytest.raises(ConfigError, match=r"search.prior.scale: has 2 values, .* 3 stages"):
        plan_of(tmp_path, TINY, network, search.replace("[1, 3, 2]", "[1, 2]"))


def test_a_sampler_of_optuna_that_takes_one_objective_is_refused(tmp_path: Path) -> None:
    resolved = resolved_of(
        tmp_path,
        TINY,
        "search.sampler=optuna.samplers:CmaEsSampler",
        "search.objectives=[val_error, macs]",
    )
    with pytest.raises(PluginError, match=r"optuna.samplers:CmaEsSampler: failed in propose"):
        check_parts(*resolved, tmp_path)


@pytest.mark.parametrize("sampler", ["CmaEsSampler", "NSGAIISampler", "RandomSampler"])
def test_a_sampler_of_optuna_is_one_by_name(tmp_path: Path, sampler: str) -> None:
    resolved = resolved_of(tmp_path, TINY, f"search.sampler=optuna.samplers:{sampler}")
    check_parts(*resolved, tmp_path)


def test_the_plan_says_what_proposals_depend_on(tmp_path: Path) -> None:
    asked = "search.prior={scale: 2}", "search.ordered=true", "search.concurrency=4"
    plan, survey = resolved_of(tmp_path, TINY, "search.sampler=tpe", *asked)
    console = Console(width=200)
    with console.capture() as captured:
        console.print(picture(plan, survey, gpu=0))
    assert "ordered: a proposal sees the results up to 4 trials before" in captured.get()
    assert "prior: scale 2, with the weight of 10 trials" in captured.get()


@pytest.mark.parametrize(
    ("sampler", "said"),
    [
        ("tpe", "until 10 have ended in its band, of 8 in all"),
        ("grid", "grid: the 8 cheapest of each band of the budget, in order of MACs"),
    ],
)
def test_it_says_so_by_band(tmp_path: Path, sampler: str, said: str) -> None:
    bands = "budget={macs: {bands: [300K, 600K], tolerance: 30%}}"
    asked = f"search.sampler={sampler}", "search.trials=all", "search.per_band=8"
    wide = "network.width={from: 1, to: 40}"
    plan, survey = resolved_of(tmp_path, TINY, wide, "budget=null", bands, *asked)
    console = Console(width=200)
    with console.capture() as captured:
        console.print(picture(plan, survey, gpu=0))
    assert said in captured.get()


@pytest.mark.parametrize(
    ("sampler", "trials", "said"),
    [
        ("tpe", 30, "tpe: networks are drawn at random until 10 have ended"),
        ("{name: nsga2, population: 12}", 30, "drawn at random until 12 have ended"),
        ("gp", 10, "of 10 in all, so it learns nothing; write more trials"),
        ("evolution", 12, "it learns nothing; write more trials, or a population below that"),
        ("random", 30, ""),
    ],
)
def test_the_plan_says_what_is_drawn_before_anything_is_learned(
    tmp_path: Path, sampler: str, trials: int, said: str
) -> None:
    asked = f"search.sampler={sampler}", f"search.trials={trials}"
    plan, survey = resolved_of(tmp_path, TINY, "network.width={from: 1, to: 40}", *asked)
    console = Console(width=200)
    with console.capture() as captured:
        console.print(picture(plan, survey, gpu=0))
    assert said in captured.get()
    assert ("have ended" in captured.get()) == bool(said)


@pytest.mark.parametrize("asked", [("grid", 4), ("axes", 3), ("isomacs", 3), ("grid", None)])
def test_the_plan_counts_multiply_adds_of_the_networks_that_are_tried(
    tmp_path: Path, asked: tuple[str, int | None]
) -> None:
    """Not of all candidates, where only the cheapest are tried; `None`: two of each band."""
    name, trials = asked
    plan, survey = resolved_of(tmp_path, TINY, *_fewer(name, trials))
    sampler, tried = sampler_of(plan, survey), list[int]()
    for trial in range(plan.search.trials):
        tried.append(sampler.propose(trial))
        sampler.take(tried[-1])
    assert len(tried) < len(survey)
    expected = 3 * survey.costs.macs[tried].sum() * plan.data.train * plan.training.epochs
    console = Console(width=200)
    with console.capture() as captured:
        console.print(picture(plan, survey, gpu=0))
    assert f"about {expected:.2g} multiply-adds of training" in captured.get()


def _fewer(name: str, trials: int | None) -> Iterator[str]:
    """What is overridden so that a sampler tries some of its candidates."""
    yield f"search.sampler={name}"
    yield "network.width={from: 1, to: 40}"
    yield f"search.trials={trials or 'all'}"
    if name == "isomacs":
        yield "search.solve=width"
    if name == "axes":
        yield "search.base={depth: 20, width: 4}"
    if trials is None:
        yield "budget={macs: {bands: [300K, 600K], tolerance: 30%}}"
        yield "search.per_band=2"


def test_of_networks_that_are_drawn_the_mean_of_each_band_counts(tmp_path: Path) -> None:
    plan, survey = resolved_of(
        tmp_path, TINY, "search.sampler=random", *[*_fewer("", None)][1:]
    )
    each = [survey.costs.macs[survey.bands == band].mean() for band in range(2)]
    assert Tried(survey, plan.search).mean(survey.costs.macs) == pytest.approx(np.mean(each))
    assert np.mean(each) != pytest.approx(survey.costs.macs.mean())
