"""Packages of OptunaHub: any of its samplers by name, and ours as one of them."""

import runpy
from pathlib import Path

import optuna
import pytest

from res2net import cost
from res2net.plugins import PluginError
from search.engine.checking import check_parts
from search.samplers import optuna_sampler
from search.schema.samplers import SAMPLERS
from tests.search.spaces import PAPER, TINY, resolved_of, write

REGISTRY = Path(__file__).parents[3] / "docs" / "optunahub" / "package"
PACKAGE = REGISTRY / "samplers" / "res2net_budget"

LAST = '''
import optuna

class Last(optuna.samplers.BaseSampler):
    """Always the last value of each dimension."""

    def infer_relative_search_space(self, study, trial):
        return {}

    def sample_relative(self, study, trial, search_space):
        return {}

    def sample_independent(self, study, trial, param_name, param_distribution):
        return param_distribution.high
'''


def chosen(folder: Path, sampler: str) -> str:
    text = "{name: optunahub, package: samplers/last, sampler: %s, registry: %s}"
    package = folder / "samplers" / "last"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text(LAST, encoding="utf-8")
    return f"search.sampler={text % (sampler, folder)}"


def test_a_package_of_a_registry_is_a_sampler(tmp_path: Path) -> None:
    plan, survey = resolved_of(tmp_path, TINY, chosen(tmp_path, "Last"))
    check_parts(plan, survey, tmp_path)
    sampler = optuna_sampler(tmp_path / "space.yaml", overrides=(chosen(tmp_path, "Last"),))

    study = optuna.create_study(sampler=sampler)
    study.optimize(lambda trial: float(sampler.suggest(trial).layers), n_trials=3)
    first = sampler.architecture(study.trials[0].params)
    assert first.scale == max(survey.architecture(one).scale for one in range(len(survey)))


def test_a_package_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    plan, survey = resolved_of(tmp_path, TINY, chosen(tmp_path, "First"))
    with pytest.raises(PluginError, match=r"optunahub: samplers/last: .*First"):
        check_parts(plan, survey, tmp_path)


def test_ours_is_laid_out_as_a_package_of_optunahub(tmp_path: Path) -> None:
    """Its example runs from a copy of the registry, inside the budget."""
    example = runpy.run_path(str(PACKAGE / "example.py"))
    space = write(tmp_path, PAPER)
    study = example["main"](str(space), str(REGISTRY))
    sampler = study.sampler
    networks = [sampler.architecture(trial.params) for trial in study.trials]
    assert len(set(networks)) == 30
    assert all(3.6e9 <= cost(one, image_size=32).macs <= 4.0e9 for one in networks)


def test_its_readme_says_what_optunahub_asks_for() -> None:
    head = (PACKAGE / "README.md").read_text(encoding="utf-8").split("---")[1]
    keys = {line.partition(":")[0] for line in head.strip().splitlines()}
    assert keys == {"author", "title", "description", "tags", "optuna_versions", "license"}
    assert (PACKAGE / "LICENSE").exists()
    assert "optunahub" in SAMPLERS
