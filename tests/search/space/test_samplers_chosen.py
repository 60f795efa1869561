"""Bad input about samplers is named before anything runs."""

from pathlib import Path

import pytest
from rich.console import Console

from res2net.plugins import PluginError
from search.engine.checking import check_parts
from search.plan import picture
from search.schema.yaml import ConfigError
from tests.search.spaces import TINY, plan_of, resolved_of


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("isomacs", r"search.solve: is missing: isomacs compares networks of one cost"),
        (
            "cmaes, trials: 3, objectives: [val_error, macs]",
            r"search.sampler: .*'cmaes' looks at one objective, and there are val_error, macs",
        ),
        (
            "random, trials: 3, prior: {scale: 1}",
            r"search.prior: .*is of no use to random; write sampler: tpe or gp",
        ),
        (
            "tpe, trials: 3, prior: {scale: 7}",
            r"search.prior.scale: 7 is not among the values of network.scale \(1, 2, 3\)",
        ),
        ("tpe, trials: 3, prior: {se: true}", r"search.prior.se: does not vary in this space"),
        ("tpe, trials: 3, prior: {scal: 2}", r"search.prior.scal: .*did you mean 'scale'"),
        ("{name: evolution, samples: 3}, trials: 3", r"samples.*did you mean 'sample'"),
        ("nsga, trials: 3", r"is no sampler; did you mean 'nsga"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, written: str, message: str) -> None:
    line = next(line for line in TINY.splitlines() if line.startswith("search:"))
    text = TINY.replace(line, f"search: {{sampler: {written}}}")
    with pytest.raises(ConfigError, match=message):
        plan_of(tmp_path, text)


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
    ("sampler", "trials", "said"),
    [
        ("tpe", 30, "tpe: networks are drawn at random until 10 have ended"),
        ("{name: nsga2, population: 12}", 30, "drawn at random until 12 have ended"),
        ("gp", 10, "so all 10 are, and it learns nothing; write more trials"),
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
