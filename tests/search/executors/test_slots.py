"""Slots: as many trials as fit, machine by machine."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster

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
        (0.4, 1, {"CPU": 64.0, "GPU": 4.0}, 8),  # two on each, and no trial on two
        (0.3, 1, {"CPU": 64.0, "GPU": 4.0}, 12),
        (0.6, 1, {"CPU": 64.0, "GPU": 4.0}, 4),
        (1, 1, {"CPU": 64.0, "GPU": 5.0}, 5),
    ],
)
def test_a_trial_runs_on_one_machine(
    tmp_path: Path, gpu: float, cpu: int, machine: dict[str, float], slots: int
) -> None:
    plan = plan_of(tmp_path, TINY, f"resources.gpu={gpu}", f"resources.cpu={cpu}")
    assert Slots(plan)._fits(machine) == slots


@pytest.mark.ray
@pytest.mark.slow
def test_a_cluster_whose_gpus_have_too_few_cores_is_refused(tmp_path: Path) -> None:
    """No machine has both, and a study would wait for ever."""
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 6, "include_dashboard": False}
    )
    try:
        ray.init(address=cluster.address, log_to_driver=False)
        said: list[str] = []
        first = Slots(plan_of(tmp_path, TINY, "resources.gpu=1"))
        with ThreadPoolExecutor(1) as beside:
            waiting = beside.submit(first.checked, say=said.append, patience=60)
            while not said:
                time.sleep(0.1)
            cluster.add_node(num_cpus=1, num_gpus=1)
            assert waiting.result() == 1
        assert said == [
            "no machine of the cluster has a GPU yet; waiting up to 1 min 0 s for it"
        ]
        wanted = plan_of(tmp_path, TINY, "resources.cpu=4", "resources.gpu=1")
        with pytest.raises(ConfigError, match="4 cores and 1 GPUs, and no machine of"):
            Slots(wanted).checked()
        assert Slots(plan_of(tmp_path, TINY, "resources.gpu=1")).checked() == 1
    finally:
        ray.shutdown()
        cluster.shutdown()
