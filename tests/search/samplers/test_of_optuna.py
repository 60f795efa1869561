"""Our samplers in other people's Optuna studies: never outside the budget, and good citizens.

Optuna's own suite for samplers is run below. Of it the suite for relative sampling
(`RelativeSamplerTestCase`) asks a sampler for spaces of numbers that are no dimensions of
networks, which ours hands to nobody; that for samplers of one objective only
(`SingleOnlySamplerTestCase`) is for those that refuse several, and ours refuses them when it is
asked to propose, not for a parameter of somebody else's.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.samplers import BaseSampler
from optuna.testing.pytest_samplers import BasicSamplerTestCase, MultiObjectiveSamplerTestCase

from res2net import cost
from search.samplers import optuna_sampler
from search.samplers.base import Outcome, Sampler, SpaceExhausted
from search.samplers.of_optuna import SpaceSampler, outcome_of
from search.schema.samplers import SAMPLERS
from search.schema.yaml import ConfigError
from tests.search.spaces import PAPER, TINY, write

# gp takes a second a proposal; axes wants a base; optunahub a package.
QUICK = [name for name in SAMPLERS if name not in ("gp", "axes", "isomacs", "optunahub")]


class Distant(optuna.storages.InMemoryStorage):
    """A storage behind a network: writing takes a while."""

    def set_trial_param(self, *given: Any, **named: Any) -> None:
        time.sleep(0.01)
        super().set_trial_param(*given, **named)


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    """325 candidates between 3.6 and 4.0 G multiply-adds."""
    return write(tmp_path, PAPER)


class TestOptunasOwn(BasicSamplerTestCase, MultiObjectiveSamplerTestCase):
    """What Optuna asks of every sampler, of one and of several objectives."""

    @pytest.fixture(params=["random", "tpe"])
    def sampler(
        self, request: pytest.FixtureRequest, tmp_path: Path
    ) -> Callable[[], BaseSampler]:
        path = write(tmp_path, PAPER)
        return lambda: optuna_sampler(path, request.param)


@pytest.mark.parametrize("name", QUICK)
def test_every_trial_is_inside_the_budget_and_another_network(name: str, paper: Path) -> None:
    sampler = optuna_sampler(paper, name)
    study = optuna.create_study(sampler=sampler)
    names = []

    def objective(trial: optuna.Trial) -> float:
        network = sampler.suggest(trial)
        assert 3.6e9 <= cost(network, image_size=32).macs <= 4.0e9
        names.append(network.name)
        return abs(network.scale - 4) + trial.suggest_float("lr", 0.01, 1, log=True)

    study.optimize(objective, n_trials=25)
    assert len(set(names)) == 25
    assert {"lr", *sampler.distributions} == study.best_params.keys()


def test_it_learns_from_a_study_that_is_there(paper: Path) -> None:
    """A new sampler over the same trials proposes what the old one would have."""

    def grown(trials: list[int]) -> list[dict[str, object]]:
        study = optuna.create_study()
        for n_trials in trials:
            sampler = study.sampler = optuna_sampler(paper, "tpe")
            study.optimize(lambda t, s=sampler: s.suggest(t).layers, n_trials=n_trials)
        return [trial.params for trial in study.trials]

    assert grown([20]) == grown([13, 7])


def test_threads_get_different_networks(paper: Path) -> None:
    sampler = optuna_sampler(paper, "tpe")
    study = optuna.create_study(sampler=sampler)
    study.optimize(lambda trial: float(sampler.suggest(trial).layers), n_trials=40, n_jobs=4)
    assert len({sampler.architecture(t.params).name for t in study.trials}) == 40


def test_a_study_ends_with_the_space(tmp_path: Path) -> None:
    sampler = optuna_sampler(write(tmp_path, TINY), "tpe")
    study = optuna.create_study(sampler=sampler)
    study.optimize(lambda trial: float(sampler.suggest(trial).layers), n_trials=500)
    networks = {sampler.architecture(trial.params).name for trial in study.trials}
    assert len(networks) == len(study.trials) < 500
    with pytest.raises(SpaceExhausted):
        study.ask(sampler.distributions)


def test_states_are_told_as_they_are(paper: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Failed trials are no end of it; several objectives are learned from."""
    sampler = optuna_sampler(paper, "nsga2")
    made, told = sampler._made, list[Outcome]()

    def watched(study: optuna.Study) -> Sampler:
        inner = made(study)
        tell = inner.tell

        def heard(candidate: int, outcome: Outcome) -> None:
            told.append(outcome)
            tell(candidate, outcome)

        monkeypatch.setattr(inner, "tell", heard)
        return inner

    monkeypatch.setattr(sampler, "_made", watched)
    study = optuna.create_study(directions=["minimize", "maximize"], sampler=sampler)

    def objective(trial: optuna.Trial) -> tuple[float, float]:
        network = sampler.suggest(trial)
        if trial.number % 5 == 4:
            raise RuntimeError
        return network.layers, network.scale

    study.optimize(objective, n_trials=45, catch=(RuntimeError,))
    assert len(study.trials) == 45
    assert len(told) == 44, "the last is told when another is asked for"
    for trial, outcome in zip(study.trials[:-1], told, strict=True):
        if trial.number % 5 == 4:
            assert outcome == Outcome("failed")
        else:
            assert outcome == Outcome("complete", tuple(trial.values))


def test_given_values_are_tried_and_learned_from(paper: Path) -> None:
    sampler = optuna_sampler(paper, "tpe")
    study = optuna.create_study(sampler=sampler)
    wanted = {n: v[0] for n, v in sampler._named.choices.items()} | {"scale": 2}
    inside = sampler._named.values(7)
    study.enqueue_trial(inside)
    study.enqueue_trial(wanted)
    study.optimize(
        lambda trial: float(sampler.suggest(trial).layers), n_trials=12, catch=(ValueError,)
    )
    assert study.trials[0].params == inside
    assert study.trials[1].state is optuna.trial.TrialState.FAIL  # outside the budget
    assert len({tuple(trial.params.items()) for trial in study.trials}) == 12


def test_what_is_given_in_part_is_filled_up_inside_the_budget(paper: Path) -> None:
    sampler = optuna_sampler(paper, "random")
    study = optuna.create_study(sampler=sampler)
    for scale in (4, 4, 2):
        study.enqueue_trial({"scale": scale})
    study.optimize(lambda trial: float(sampler.suggest(trial).layers), n_trials=5)
    networks = [sampler.architecture(trial.params) for trial in study.trials]
    assert [network.scale for network in networks[:3]] == [4, 4, 2]
    assert len(set(networks)) == 5


def test_bad_input_is_named(paper: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"^sampler: is not a known sampler; did you mean 'nsga3'"
    ):
        optuna_sampler(paper, "nsga")
    sampler = optuna_sampler(paper)
    assert isinstance(sampler, SpaceSampler)
    with pytest.raises(ValueError, match="is not a candidate within the budget; give a value"):
        sampler.architecture({"scale": 2})


@pytest.mark.parametrize("name", ["grid", "random"])
def test_threads_never_get_a_network_that_another_has_just_begun(
    name: str, tmp_path: Path
) -> None:
    """The study shows what it was given only once the storage has all of it."""
    sampler = optuna_sampler(write(tmp_path, TINY), name)
    study = optuna.create_study(sampler=sampler, storage=Distant())

    def objective(trial: optuna.Trial) -> float:
        layers = float(sampler.suggest(trial).layers)
        time.sleep(0.01 * (trial.number % 4))  # so that some begin while others write
        return layers

    study.optimize(objective, n_trials=24, n_jobs=4)
    networks = {sampler.architecture(trial.params).name for trial in study.trials}
    assert len(networks) == len(study.trials) == 24


def test_asked_and_told_to_the_end_of_the_space(tmp_path: Path) -> None:
    """There is no loop that could be stopped."""
    sampler = optuna_sampler(write(tmp_path, TINY), "random")
    study = optuna.create_study(sampler=sampler)
    for _ in range(32):
        trial = study.ask()
        study.tell(trial, float(sampler.suggest(trial).layers))
    states = {trial.state for trial in study.trials}
    assert states == {optuna.trial.TrialState.COMPLETE}
    with pytest.raises(SpaceExhausted):
        study.ask(sampler.distributions)


@pytest.mark.parametrize("odd", [math.inf, math.nan])
def test_what_no_networks_can_be_compared_by_is_a_failure(paper: Path, odd: float) -> None:
    """Optuna takes an infinite value, and NaN from a trial that is pruned."""
    sampler = optuna_sampler(paper, "tpe")
    study = optuna.create_study(sampler=sampler)

    def objective(trial: optuna.Trial) -> float:
        layers = float(sampler.suggest(trial).layers)
        if trial.number % 5 != 3:
            return layers
        trial.report(odd, step=1)
        if math.isnan(odd):
            raise optuna.TrialPruned
        return odd

    study.optimize(objective, n_trials=20)
    assert outcome_of(study.trials[3]) == Outcome("failed")
    assert len({sampler.architecture(t.params).name for t in study.trials}) == 20


def test_the_prior_of_the_file_is_kept_and_what_is_no_dimension_is_left_to_optuna(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, PAPER)
    asked = []
    for overrides in ([], ["search.prior={scale: 4, confidence: 1000}"]):
        sampler = optuna_sampler(path, overrides=overrides)
        study = optuna.create_study(sampler=sampler)
        trials = [study.ask(sampler.distributions) for _ in range(6)]
        asked.append(sum(trial.params["scale"] == 4 for trial in trials))
    assert asked[1] > asked[0]
    plain, given = (optuna.create_study(sampler=optuna_sampler(path)) for _ in range(2))
    given.enqueue_trial({"lr": 0.1})
    first, second = (one.ask(sampler.distributions) for one in (plain, given))
    assert first.params == second.params
