"""What every sampler promises: inside the budget, distinct, rebuilt as it was."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optuna.trial import TrialState
from scipy.stats import chisquare

from search.samplers.base import Outcome, Sampler, SpaceExhausted, make_sampler
from search.samplers.optunas import tpe as tpe_sampler
from search.samplers.ordered import Ordered
from search.samplers.points import Points
from search.schema.metrics import COUNTED, Objective
from search.schema.parts import Choice
from search.schema.samplers import SAMPLERS
from search.space.survey import Survey, survey
from tests.search.spaces import TINY, plan_of

ROOT = Path(__file__).parents[2]
ORDERED = [name for name, facts in SAMPLERS.ours.items() if "ordered" in facts.traits]
# All that need no options: what comes from elsewhere is held to its own tests.
NAMES = [name for name, facts in SAMPLERS.ours.items() if "outside" not in facts.traits]
SEVERAL = [name for name in NAMES if "several" in SAMPLERS[name].traits]
SLOW_GP = pytest.param("gp", marks=pytest.mark.slow)  # up to a second a proposal
every_sampler = pytest.mark.parametrize("name", NAMES)
ERROR = Objective("val_error", "minimize", "reported", "%")


def make(name: str, surveyed: Survey, *, seed: int = 0) -> Sampler:
    return make_sampler(Choice(name=name), surveyed, seed=seed, objectives=[ERROR])


def error_of(surveyed: Survey, candidate: int) -> float:
    """A smooth objective with its best at one corner of the dimensions."""
    network = surveyed.architecture(candidate)
    return 10 + 3 * abs(network.scale - 4) + abs(network.cardinality - 6) + network.layers / 10


def outcome(trial: int, error: float, objectives: int = 1) -> Outcome:
    """Every sixth trial fails, every fifth is pruned; a second objective falls as it rises."""
    if trial % 6 == 5:
        return Outcome("failed")
    state: Any = "pruned" if trial % 5 == 4 else "complete"
    return Outcome(state, (error, 100 - error)[:objectives], epochs=1)


class Simulated:
    """A study of so many trials at once, which end in an order of their own.

    Attributes:
        proposed: candidates, in their order.
        events: all that the sampler was told, to be told to another one.
    """

    def __init__(self, sampler: Sampler, surveyed: Survey, *, at_once: int = 1) -> None:
        self.sampler, self._surveyed, self._at_once = sampler, surveyed, at_once
        self.proposed: list[int] = []
        self.events: list[tuple[int, Outcome | None]] = []
        self._running: list[int] = []  # trials

    def run(self, trials: int) -> list[int]:
        """So many trials more; what was proposed so far."""
        for _ in range(trials):
            while len(self._running) >= self._at_once:
                self._end()
            candidate = self.sampler.propose(len(self.proposed))
            self._tell(candidate, None)
            self._running.append(len(self.proposed))
            self.proposed.append(candidate)
        return self.proposed

    def _end(self) -> None:
        rng = np.random.default_rng(len(self.events))
        trial = self._running.pop(int(rng.integers(len(self._running))))
        candidate = self.proposed[trial]
        self._tell(candidate, outcome(trial, error_of(self._surveyed, candidate)))

    def _tell(self, candidate: int, ended: Outcome | None) -> None:
        tell(self.sampler, candidate, ended)
        self.events.append((candidate, ended))


def tell(sampler: Sampler, candidate: int, ended: Outcome | None) -> None:
    if ended is None:
        sampler.take(candidate)
    else:
        sampler.tell(candidate, ended)


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
    first, again = (run(make(name, surveyed), surveyed, range(14)) for _ in range(2))
    assert first == again


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ORDERED])
def test_another_seed_proposes_others(name: str, surveyed: Survey) -> None:
    one = run(make(name, surveyed, seed=1), surveyed, range(11))
    assert one != run(make(name, surveyed, seed=2), surveyed, range(11))


@pytest.mark.parametrize("at_once", [1, 8])
@every_sampler
def test_rebuilt_at_any_point_it_goes_on_as_before(
    name: str, surveyed: Survey, at_once: int
) -> None:
    """Also while trials run, and in whatever order they ended."""
    whole = Simulated(make(name, surveyed), surveyed, at_once=at_once)
    whole.run((14 if name == "gp" else 25) + at_once)  # the last by what the others gave
    last, compared = len(whole.events) - 1, 0
    for stop in (*range(5, last, 5), last):  # of one at once, every second one is a start
        candidate, ended = whole.events[stop]
        if ended is not None:
            continue
        rebuilt = make(name, surveyed)
        for event in whole.events[:stop]:
            tell(rebuilt, *event)
        tried = sum(ended is None for _, ended in whole.events[:stop])
        assert rebuilt.propose(tried) == candidate, stop
        compared += 1
    assert compared >= 3, "the last one among them"


@pytest.mark.parametrize("at_once", [1, 8])
@pytest.mark.parametrize("name", [SLOW_GP if name == "gp" else name for name in NAMES])
def test_never_twice_however_many_run(name: str, surveyed: Survey, at_once: int) -> None:
    proposed = Simulated(make(name, surveyed), surveyed, at_once=at_once).run(40)
    assert len(set(proposed)) == 40


REBUILD = """
import json, sys
from pathlib import Path
from search.space.survey import survey
from tests.contracts.test_samplers import Outcome, make, tell
from tests.search.spaces import PAPER, plan_of

surveyed = survey(plan_of(Path(sys.argv[1]), PAPER))
for line in sys.stdin:
    name, events = json.loads(line)
    sampler = make(name, surveyed)
    for candidate, ended in events:
        tell(sampler, candidate, ended and Outcome(ended[0], tuple(ended[1]), ended[2]))
    print(sampler.propose(sum(ended is None for _, ended in events)))
"""


@pytest.mark.parametrize(
    "names",  # that of torch, seconds to import, is rebuilt in this process above
    [[name for name in NAMES if name != "gp"], pytest.param(["gp"], marks=pytest.mark.slow)],
    ids=["others", "gp"],
)
def test_another_process_proposes_the_same(
    names: list[str], surveyed: Survey, tmp_path: Path
) -> None:
    """From the seed and what was told alone."""
    histories, proposed = [], []
    for name in names:
        study = Simulated(make(name, surveyed), surveyed, at_once=4)
        study.run(17 if name == "gp" else 20)  # ten whole ones, after which it begins
        histories.append(json.dumps([name, study.events]))
        proposed.append(study.sampler.propose(len(study.proposed)))
    process = subprocess.run(
        [sys.executable, "-c", REBUILD, str(tmp_path)],
        input="\n".join(histories),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},  # more would wait for each other
    )
    assert [int(line) for line in process.stdout.split()] == proposed


@pytest.mark.parametrize("name", [SLOW_GP if name == "gp" else name for name in SEVERAL])
def test_several_objectives(name: str, surveyed: Survey) -> None:
    objectives = (ERROR, COUNTED["params"]._replace(direction="maximize"))
    sampler = make_sampler(Choice(name=name), surveyed, seed=0, objectives=objectives)
    proposed = []
    for trial in range(30):
        candidate = sampler.propose(trial)
        sampler.take(candidate)
        sampler.tell(candidate, outcome(trial, error_of(surveyed, candidate), 2))
        proposed.append(candidate)
    assert len(set(proposed)) == 30


@pytest.mark.parametrize("name", ["tpe", SLOW_GP, "cmaes", "evolution", "local"])
def test_it_finds_better_networks_than_random(name: str, surveyed: Survey) -> None:
    """Mean error of the proposals after the first 20, of 3 seeds."""

    def mean(name: str) -> float:
        return statistics.mean(
            error_of(surveyed, candidate)
            for seed in range(3)
            for candidate in run(make(name, surveyed, seed=seed), surveyed, range(45))[20:]
        )

    assert mean(name) < mean("random")


def test_grid_goes_from_cheap_to_dear(surveyed: Survey) -> None:
    proposed = run(make("grid", surveyed), surveyed, range(len(surveyed)))
    macs = surveyed.costs.macs[proposed]
    assert (np.diff(macs) >= 0).all()


def test_random_is_uniform_over_the_candidates(few: Survey) -> None:
    """Chi-squared of the first proposal over 20 seeds a candidate, at one in a million."""
    draws = 20 * len(few)
    firsts = [make("random", few, seed=seed).propose(0) for seed in range(draws)]
    assert chisquare(np.bincount(firsts, minlength=len(few))).pvalue > 1e-6


def test_tpe_is_told_the_truth(surveyed: Survey) -> None:
    """Optuna holds what was tried, in the state it ended in; draws are no trials."""
    sampler = tpe_sampler(surveyed, seed=0, objectives=(ERROR,))
    proposed = run(sampler, surveyed, range(20))
    sampler.propose(20)
    tried = [t for t in sampler._study.trials if "fixed_params" in t.system_attrs]
    names = [trial.state.name for trial in tried]
    assert len(tried) == 20
    assert names.count("FAIL") == 3
    assert names.count("PRUNED") == 4
    for candidate, trial in zip(proposed, tried, strict=True):
        network = surveyed.architecture(candidate)
        several = [one for one in surveyed.dimensions if len(one.values) > 1]
        assert trial.params.keys() == {one.name for one in several}
        for dimension in several:
            if dimension.name in trial.params:
                value = dimension.values[trial.params[dimension.name]]
                assert getattr(network, dimension.name) == value


def test_qmc_holds_each_value_as_often_as_candidates_have_it(surveyed: Survey) -> None:
    """The shares of 64 networks lie closer to those of all candidates than a random draw's."""
    indices = surveyed.indices()

    def away(name: str, seed: int) -> float:
        first = run(make(name, surveyed, seed=seed), surveyed, range(64))
        return sum(
            abs(np.bincount(indices[first, d], minlength=n) / 64 - expected).sum()
            for d, n in enumerate(indices.max(axis=0) + 1)
            for expected in [np.bincount(indices[:, d], minlength=n) / len(indices)]
        )

    qmc, random = (statistics.mean(away(n, s) for s in range(20)) for n in ("qmc", "random"))
    assert qmc < 0.85 * random, "measured: 0.78"


def test_strata_hold_as_many_each(surveyed: Survey) -> None:
    """Until one is used up: 8 bins of the logarithm of multiply-adds, 32 networks."""
    sampler = make("stratified", surveyed)
    logs = np.log(surveyed.costs.macs)
    edges = np.linspace(logs.min(), logs.max(), 9)
    held = np.histogram(logs, edges)[0]
    drawn = np.histogram(logs[run(sampler, surveyed, range(32))], edges)[0]
    assert drawn.tolist() == np.minimum(held, 4).tolist()


def test_a_round_that_is_cut_off_favours_no_stratum(few: Survey) -> None:
    """The first network is of each of the 8 bins alike, however many candidates a bin holds."""
    logs = np.log(few.costs.macs)
    edges = np.linspace(logs.min(), logs.max(), 9)
    firsts = [make("stratified", few, seed=seed).propose(0) for seed in range(200)]
    drawn = np.histogram(logs[firsts], edges)[0]
    filled = np.histogram(logs, edges)[0] > 0
    assert chisquare(drawn[filled]).pvalue > 1e-3


def test_a_metric_to_maximise_is_maximised(surveyed: Survey) -> None:
    """With the sign of the error turned, the same networks are tried."""
    worse = tpe_sampler(surveyed, seed=0, objectives=(ERROR,))
    better = tpe_sampler(surveyed, seed=0, objectives=(ERROR._replace(direction="maximize"),))
    for trial in range(25):
        candidate = worse.propose(trial)
        assert better.propose(trial) == candidate
        error = error_of(surveyed, candidate)
        for sampler, value in ((worse, error), (better, -error)):
            sampler.take(candidate)
            sampler.tell(candidate, Outcome("complete", (value,)))


def test_moving_a_draw_inside_takes_little_beside_drawing_it(surveyed: Survey) -> None:
    sampler = tpe_sampler(surveyed, seed=0, objectives=(ERROR,))
    run(sampler, surveyed, range(12))
    points = Points(surveyed)
    for candidate in range(12):
        points.take(candidate)

    def seconds(call: Callable[[], object]) -> float:
        begin = time.perf_counter()
        call()
        return time.perf_counter() - begin

    whole = statistics.median(_asked(sampler, seconds) for _ in range(30))
    moving = statistics.median(
        seconds(lambda: points.nearest_left(points.unit[5])) for _ in range(30)
    )
    assert moving < whole / 4, "measured: a twentieth"


def _asked(sampler: Sampler, seconds: Callable[[Callable[[], object]], float]) -> float:
    sampler._drawn = None  # else it is drawn once for a trial
    return seconds(lambda: sampler.propose(12))


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


@pytest.mark.parametrize("name", ["tpe", pytest.param("gp", marks=pytest.mark.slow)])
@pytest.mark.parametrize("objectives", [1, 2])
def test_where_all_that_ended_was_pruned_it_goes_on(
    name: str, objectives: int, surveyed: Survey
) -> None:
    """As early with a scheduler and several workers: the good ones are still running."""
    asked = [ERROR, COUNTED["params"]][:objectives]
    sampler = make_sampler(Choice(name=name), surveyed, seed=0, objectives=asked)
    running: list[int] = []
    for trial in range(15):
        running.append(sampler.propose(trial))
        sampler.take(running[-1])
    for place, candidate in enumerate(running[:12]):
        sampler.tell(candidate, Outcome("pruned", (float(place), 1.0)[:objectives], epochs=1))
    assert sampler.propose(15) not in running


def test_of_several_objectives_no_pruned_trial_is_taken_for_a_good_one(
    surveyed: Survey,
) -> None:
    asked = [ERROR, COUNTED["params"]]
    sampler = tpe_sampler(surveyed, seed=0, objectives=asked)
    for trial in range(22):
        sampler.take(candidate := sampler.propose(trial))
        state: Any = "complete" if trial % 2 else "pruned"
        sampler.tell(candidate, Outcome(state, (50.0 - trial, 1.0), epochs=1))
    sampler.propose(22)
    states = [trial.state for trial in sampler._study.get_trials()]
    assert TrialState.PRUNED not in states
    assert states.count(TrialState.COMPLETE) == 11


@pytest.mark.parametrize("name", ["nsga2", "cmaes"])
def test_networks_that_teach_a_sampler_nothing_do_not_end_its_random_ones(
    name: str, surveyed: Survey
) -> None:
    """Stopped early, they are no generation to select from, and its draws leave the budget."""
    sampler = make_sampler(Choice(name=name), surveyed, seed=0, objectives=[ERROR])
    uniform = make_sampler(Choice(name="random"), surveyed, seed=0, objectives=[ERROR])
    for trial in range(25):
        candidate = sampler.propose(trial)
        assert candidate == uniform.propose(trial)
        for one in (sampler, uniform):
            one.take(candidate)
            one.tell(candidate, Outcome("pruned", (float(trial),), epochs=1))


def test_children_differ_in_every_dimension_also_in_a_large_space(tmp_path: Path) -> None:
    """The nearest thousand candidates of many never differ in a dimension of two values."""
    text = TINY.replace("[1, 2, 3]", "{from: 1, to: 24}")
    large = survey(plan_of(tmp_path, text, "budget={macs: {max: 10G}}"))
    assert len(large) > 2048
    sampler = make_sampler(Choice(name="evolution"), large, seed=0, objectives=[ERROR])
    changed = set()
    told: list[int] = []
    for trial in range(300):
        candidate = sampler.propose(trial)
        if len(told) >= 20:
            indices = large.indices()
            near = min((indices[one] != indices[candidate]).sum() for one in told[-20:])
            assert near == 1
            changed |= {
                int(np.flatnonzero(indices[one] != indices[candidate])[0])
                for one in told[-20:]
                if (indices[one] != indices[candidate]).sum() == 1
            }
        sampler.take(candidate)
        sampler.tell(candidate, Outcome("complete", (float(trial % 7),)))
        told.append(candidate)
    varied = {i for i, d in enumerate(large.dimensions) if len(d.values) > 1}
    assert changed == varied
