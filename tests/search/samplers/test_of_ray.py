"""Our samplers in other people's Ray Tune experiments."""

import math
from pathlib import Path

import pytest

from res2net import parse
from res2net.plugins import PluginError
from search.samplers import ray_searcher
from tests.search.spaces import PAPER, TINY, write


def test_restored_it_goes_on_as_before(tmp_path: Path) -> None:
    space = write(tmp_path, PAPER)
    one = ray_searcher(space, "tpe", metric="error")
    for place in range(14):
        config = one.suggest(f"trial {place}")
        assert isinstance(config, dict)
        one.on_trial_complete(f"trial {place}", {"error": parse(config["name"]).layers})
    one.suggest("running")
    one.save(str(tmp_path / "saved"))
    other = ray_searcher(space, "tpe", metric="error")
    other.restore(str(tmp_path / "saved"))
    assert other.suggest("next") == one.suggest("next")
    other.on_trial_complete("running", error=True)


def test_it_ends_with_the_space(tmp_path: Path) -> None:
    searcher = ray_searcher(write(tmp_path, TINY), "grid", metric="error", mode="max")
    configs = [searcher.suggest(str(place)) for place in range(200)]
    first = configs.index(searcher.FINISHED)
    assert len({str(config) for config in configs[:first]}) == first


def test_a_mode_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises((PluginError, AssertionError), match="min"):
        ray_searcher(write(tmp_path, TINY), metric="error", mode="up")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_failed_and_ends_no_experiment(tmp_path: Path, value: float) -> None:
    """Of a loss that diverged; the sampler hears the same of it as of an error."""
    space = write(tmp_path, PAPER)
    one, other = (ray_searcher(space, "tpe", metric="error") for _ in range(2))
    for place in range(16):
        config = one.suggest(str(place))
        assert config == other.suggest(str(place))
        assert isinstance(config, dict)
        layers = float(parse(config["name"]).layers)
        one.on_trial_complete(str(place), {"error": value if place % 5 == 3 else layers})
        other.on_trial_complete(str(place), {"error": layers}, error=place % 5 == 3)
