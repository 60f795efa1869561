"""What every sampler promises: inside the budget, distinct, rebuilt as it was."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chisquare

from search.samplers.base import Outcome, Sampler, SpaceExhausted, make_sampler
from search.samplers.ordered import Ordered
from search.samplers.tpe import Tpe
from search.schema.metrics import COUNTED, Objective
from search.schema.parts import Choice
from search.schema.samplers import SAMPLERS
from search.space.survey import Survey, survey
from tests.search.spaces import PAPER, TINY, plan_of

every_sampler = pytest.mark.parametrize("name", list(SAMPLERS))
ERROR = Objective("val_error", "minimize", "reported", "%")


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    """325 candidates in the paper's band of multiply-adds."""
    return survey(plan_of(tmp_path_factory.mktemp("space"), PAPER))


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    return survey(plan_of(tmp_path_factory.mktemp("space")))


def make(name: str, surveyed: Survey, *, seed: int = 0) -> Sampler:
    return make_sampler(Choice(name=name), surveyed, seed=seed, objectives=[ERROR])


def error_of(surveyed: Survey, candidate: int) -> float:
    """A smooth objective with its best at one corner of the dimensions."""
    network = surveyed.architecture(candidate)
    return 10 + 3 * abs(network.scale - 4) + abs(network.cardinality - 6) + network.layers / 10


def outcome(trial: int, error: float) -> Outcome:
    """Every sixth trial fails, every fifth is pruned."""
    if trial % 6 == 5:
        return Outcome("failed")
    return Outcome("pruned" if trial % 5 == 4 else "complete", (error,), epochs=1)


def run(sampler: Sampler, surveyed: Survey, trials: range) -> list[int]:
    """Trials one after another, ending as `outcome` says."""
    proposed = []
    for trial in trials:
        candidate = sampler.propose(trial)
        sampler.take(candidate)
        sampler.tell(candidate, outcome(trial, error_of(surveyed, candidate)))
        proposed.append(candidate)
    return proposed


@every_sampler
def test_distinct_until_the_space_is_used_up(name: str, few: Survey) -> None:
    sampler = make(name, few)
    assert sorted(run(sampler, few, range(len(few)))) == list(range(len(few)))
    with pytest.raises(SpaceExhausted):
        sampler.propose(len(few))


@every_sampler
def test_the_same_seed_proposes_the_same(name: str, surveyed: Survey) -> None:
    first, again = (run(make(name, surveyed), surveyed, range(25)) for _ in range(2))
    assert first == again


@pytest.mark.parametrize("name", ["random", "tpe"])
def test_another_seed_proposes_others(name: str, surveyed: Survey) -> None:
    one = run(make(name, surveyed, seed=1), surveyed, range(15))
    assert one != run(make(name, surveyed, seed=2), surveyed, range(15))


@every_sampler
def test_rebuilt_from_what_was_tried_it_goes_on_as_before(name: str, surveyed: Survey) -> None:
    whole = run(make(name, surveyed), surveyed, range(24))
    sampler = make(name, surveyed)
    for trial, candidate in enumerate(whole[:17]):
        sampler.take(candidate)
        sampler.tell(candidate, outcome(trial, error_of(surveyed, candidate)))
    assert run(sampler, surveyed, range(17, 24)) == whole[17:]


@every_sampler
def test_trials_that_run_beside_each_other_differ(name: str, surveyed: Survey) -> None:
    sampler = make(name, surveyed)
    run(sampler, surveyed, range(12))
    beside = []
    for trial in range(12, 20):
        candidate = sampler.propose(trial)
        sampler.take(candidate)
        beside.append(candidate)
    assert len(set(beside)) == len(beside)


def test_grid_goes_from_cheap_to_dear(surveyed: Survey) -> None:
    proposed = run(make("grid", surveyed), surveyed, range(len(surveyed)))
    macs = surveyed.costs.macs[proposed]
    assert (np.diff(macs) >= 0).all()


def test_random_is_uniform_over_the_candidates(few: Survey) -> None:
    """Chi-squared of the first proposal over 20 seeds a candidate, at one in a million."""
    draws = 20 * len(few)
    firsts = [make("random", few, seed=seed).propose(0) for seed in range(draws)]
    assert chisquare(np.bincount(firsts, minlength=len(few))).pvalue > 1e-6


def test_tpe_finds_better_networks_than_random(surveyed: Survey) -> None:
    """Mean error of the proposals after the start-up: lower for each of 5 seeds."""

    def mean(name: str, seed: int) -> float:
        proposed = run(make(name, surveyed, seed=seed), surveyed, range(45))
        return statistics.mean(error_of(surveyed, c) for c in proposed[20:])

    for seed in range(5):
        assert mean("tpe", seed) < mean("random", seed)


def test_tpe_is_told_the_truth(surveyed: Survey) -> None:
    """Optuna holds what was tried, in the state it ended in; draws are no trials."""
    sampler = Tpe(surveyed, seed=0, objectives=(ERROR,))
    proposed = run(sampler, surveyed, range(20))
    sampler.propose(20)
    tried = [t for t in sampler._study.trials if "fixed_params" in t.system_attrs]
    names = [trial.state.name for trial in tried]
    assert len(tried) == 20
    assert names.count("FAIL") == 3
    assert names.count("PRUNED") == 4
    for candidate, trial in zip(proposed, tried, strict=True):
        network = surveyed.architecture(candidate)
        for dimension in surveyed.dimensions:
            if dimension.name in trial.params:
                value = dimension.values[trial.params[dimension.name]]
                assert getattr(network, dimension.name) == value


def test_tpe_with_two_objectives(surveyed: Survey) -> None:
    sampler = Tpe(surveyed, seed=0, objectives=(ERROR, COUNTED["params"]))
    proposed = []
    for trial in range(15):
        candidate = sampler.propose(trial)
        sampler.take(candidate)
        values = (error_of(surveyed, candidate), surveyed.cost(candidate).params)
        sampler.tell(candidate, Outcome("complete", values))
        proposed.append(candidate)
    assert len(set(proposed)) == 15
    values = sampler._study.trials[0].values
    assert values == [error_of(surveyed, proposed[0]), surveyed.cost(proposed[0]).params]


def test_a_metric_to_maximise_is_maximised(surveyed: Survey) -> None:
    """With the sign of the error turned, the same networks are tried."""
    worse = Tpe(surveyed, seed=0, objectives=(ERROR,))
    better = Tpe(surveyed, seed=0, objectives=(ERROR._replace(direction="maximize"),))
    for trial in range(25):
        candidate = worse.propose(trial)
        assert better.propose(trial) == candidate
        error = error_of(surveyed, candidate)
        for sampler, value in ((worse, error), (better, -error)):
            sampler.take(candidate)
            sampler.tell(candidate, Outcome("complete", (value,)))


def test_moving_a_draw_inside_takes_little_beside_drawing_it(surveyed: Survey) -> None:
    sampler = Tpe(surveyed, seed=0, objectives=(ERROR,))
    run(sampler, surveyed, range(12))
    index = surveyed.indices()[0][sampler._varied]

    def seconds(call: Callable[[], object]) -> float:
        begin = time.perf_counter()
        call()
        return time.perf_counter() - begin

    whole = statistics.median(seconds(lambda: sampler.propose(12)) for _ in range(30))
    moving = statistics.median(seconds(lambda: sampler._nearest_left(index)) for _ in range(30))
    assert moving < whole / 4, "measured: a twentieth"


def test_an_order_leaves_out_what_was_taken() -> None:
    ordered = Ordered(np.array([2, 0, 1]))
    ordered.take(2)
    assert ordered.propose(0) == 0
    ordered.take(0)
    assert ordered.propose(1) == 1


def test_one_candidate_is_enough(tmp_path: Path) -> None:
    text = TINY.replace("trials: 3", "trials: 1").replace("[11, 20]", "11")
    text = text.replace("[1, 2]", "1").replace("[1, 2, 3]", "2")
    one = survey(plan_of(tmp_path, text))
    assert len(one) == 1
    assert run(make("tpe", one), one, range(1)) == [0]


def test_a_foreign_sampler_is_told_once_that_a_candidate_is_taken(few: Survey) -> None:
    """A trial that failed may be tried again."""
    sampler = make("tests.contracts.backwards:Backwards", few)
    candidate = sampler.propose(0)
    sampler.take(candidate)
    sampler.tell(candidate, Outcome("failed"))
    sampler.take(candidate)
    sampler.tell(candidate, Outcome("complete", (1.0,)))
    assert sampler.propose(1) != candidate
