"""Slots: as many trials as fit, machine by machine; and whose Ray it is."""

from pathlib import Path

import pytest
import ray

from search.executors.connection import connected
from search.executors.slots import Slots
from search.schema.yaml import ConfigError
from tests.search.spaces import TINY, plan_of


@pytest.mark.parametrize(
    ("gpu", "cpu", "machine", "slots"),
    [
        (0, 4, {"CPU": 6.0}, 1),
        (0, 1, {"CPU": 6.0}, 6),
        (0.2, 1, {"CPU": 16.0, "GPU": 1.0}, 5),
        (1, 1, {"CPU": 16.0}, 0),
    ],
)
def test_a_trial_runs_on_one_machine(
    tmp_path: Path, gpu: float, cpu: int, machine: dict[str, float], slots: int
) -> None:
    plan = plan_of(tmp_path, TINY, f"resources.gpu={gpu}", f"resources.cpu={cpu}")
    assert Slots(plan)._fits(machine) == slots


@pytest.mark.ray
def test_somebody_s_ray_is_left_as_it_is(tmp_path: Path, ray_address: str) -> None:
    ray.init(address=ray_address, log_to_driver=False)
    try:
        assert Slots(plan_of(tmp_path)).checked() == 2
        dear = plan_of(tmp_path, TINY, "resources.cpu=3")
        with pytest.raises(ConfigError, match=r"no machine of the cluster has more than 2"):
            Slots(dear).checked()
        with pytest.raises(ConfigError, match=r"call ray\.shutdown\(\) first"), connected(None):
            pass
        assert ray.is_initialized()
    finally:
        ray.shutdown()
