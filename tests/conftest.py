"""What every test may use: the paper's figures, and where real images are if they are there.

torch and Ray are imported where they are needed: the process that hands out the tests reads
this file before it starts the others, and needs neither.
"""

import csv
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no finding.
settings.register_profile(
    "project", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("project")

REFERENCE = Path(__file__).parent / "reference"


def reference(table: str) -> list[dict[str, str]]:
    """Rows of tests/reference/<table>.csv: the paper's figures and independent counts."""
    with (REFERENCE / f"{table}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that share a Ray runtime take longest, much of it waiting, so they begin."""
    first = {item.path for item in items if "ray_address" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path not in first)


@pytest.fixture(scope="session", autouse=True)
def threads() -> None:
    """Where several processes test at once, each computes on one core."""
    if os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1") != "1":
        import torch  # noqa: PLC0415 - see above

        torch.set_num_threads(1)


@pytest.fixture(scope="module")
def ray_address() -> Iterator[str]:
    """A Ray cluster of two CPUs, one for each file: it takes CPU also while it idles."""
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - see above

    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False}
    )
    yield cluster.address
    cluster.shutdown()


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """For networks so small that, on a busy machine, more threads only wait for each other."""
    import torch  # noqa: PLC0415 - see above

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def real_images() -> Path:
    """The folder that holds cifar-100-python; RES2NET_DATA names it."""
    folder = os.environ.get("RES2NET_DATA")
    if not folder or not Path(folder, "cifar-100-python", "train").exists():
        pytest.skip("RES2NET_DATA names no folder with cifar-100-python in it")
    return Path(folder).resolve()


@pytest.fixture(scope="session")
def imagenette() -> Path:
    """The folder imagenette-128, with train/ and val/; RES2NET_DATA names the one above."""
    folder = os.environ.get("RES2NET_DATA")
    if not folder or not Path(folder, "imagenette-128", "val").is_dir():
        pytest.skip("RES2NET_DATA names no folder with imagenette-128 in it")
    return Path(folder, "imagenette-128").resolve()
