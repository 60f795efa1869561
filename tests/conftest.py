"""What every test may use: the paper's figures, and where real images are if they are there."""

import csv
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
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


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """For networks so small that, on a busy machine, more threads only wait for each other."""
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
