"""Ten thousand proposals of each sampler: distinct, and inside the budget, counted again.

`gp` takes a second a proposal, so it makes 100.
"""

import numpy as np
import pytest

from res2net import cost
from search.samplers.base import Outcome
from search.space.survey import Survey, survey
from tests.contracts.test_samplers import NAMES, make
from tests.search.spaces import PAPER, plan_of

# Minutes each; of evolution seconds, and test_samplers holds the same of a small space.
_LONG = ("tpe", "cmaes", "nsga2", "nsga3", "gp", "evolution")
WIDE = PAPER.replace("[1, 2, 4, 6, 8, 12]", "{from: 1, to: 16}").replace(
    "{max: 4.0G, min: 3.6G}", "{max: 4.0G}"
)


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    return survey(plan_of(tmp_path_factory.mktemp("space"), WIDE))


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow) if n in _LONG else n for n in NAMES],
)
def test_none_leaves_the_budget_and_none_comes_twice(name: str, wide: Survey) -> None:
    trials = 100 if name == "gp" else 10_000
    assert len(wide) > trials
    sampler, rng = make(name, wide), np.random.default_rng(0)
    proposed = []
    for trial in range(trials):
        candidate = sampler.propose(trial)
        sampler.take(candidate)
        sampler.tell(candidate, Outcome("complete", (float(rng.normal()),), 1))
        proposed.append(candidate)
    assert len(set(proposed)) == trials
    assert wide.costs.macs[proposed].max() <= 4_000_000_000
    for candidate in rng.choice(proposed, 50, replace=False):
        network = wide.architecture(int(candidate))
        assert cost(network, image_size=32).macs == wide.costs.macs[candidate]
