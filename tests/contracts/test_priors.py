"""What a prior promises: it leads at first, and a wrong one is recovered from."""

import statistics
from collections.abc import Iterable

import pytest

from search.samplers.base import make_sampler
from search.schema.parts import Choice
from search.schema.prior import Prior
from search.space.survey import Survey
from tests.contracts.test_samplers import ERROR, error_of, run

RIGHT = Prior(scale=4, cardinality=6)
WRONG = Prior(scale=1, cardinality=1)


def errors(survey: Survey, prior: Prior | None, seed: int, trials: int) -> list[float]:
    sampler = make_sampler(
        Choice(name="tpe"), survey, seed=seed, objectives=[ERROR], prior=prior
    )
    return [error_of(survey, one) for one in run(sampler, survey, range(trials))]


@pytest.mark.parametrize(
    "trials", [15, *(pytest.param(n, marks=pytest.mark.slow) for n in (5, 30))]
)
def test_a_right_prior_finds_sooner(surveyed: Survey, trials: int) -> None:
    def mean(prior: Prior | None) -> float:
        return statistics.mean(min(errors(surveyed, prior, s, trials)) for s in range(8))

    assert mean(RIGHT) < mean(None)


@pytest.mark.slow
def test_a_wrong_prior_is_recovered_from(surveyed: Survey) -> None:
    """It costs trials at first; after 80 the best is within a quarter point."""
    early = [min(errors(surveyed, WRONG, seed, 10)) for seed in range(6)]
    late = [min(errors(surveyed, WRONG, seed, 80)) for seed in range(6)]
    without = [min(errors(surveyed, None, seed, 80)) for seed in range(6)]
    best = min(error_of(surveyed, one) for one in range(len(surveyed)))
    assert statistics.mean(early) > best + 1
    assert statistics.mean(late) < statistics.mean(without) + 0.25


def test_the_first_networks_are_drawn_from_the_prior(surveyed: Survey) -> None:
    """10 networks of 10 seeds: nearer to its values than the candidates are."""

    def away(candidates: Iterable[int]) -> float:
        networks = [surveyed.architecture(one) for one in candidates]
        return statistics.mean(abs(n.scale - 4) + abs(n.cardinality - 6) for n in networks)

    first: list[int] = []
    for seed in range(10):
        sampler = make_sampler(
            Choice(name="tpe"), surveyed, seed=seed, objectives=[ERROR], prior=RIGHT
        )
        first += run(sampler, surveyed, range(10))
    assert away(first) < 0.75 * away(range(len(surveyed)))
