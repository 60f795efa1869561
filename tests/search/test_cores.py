"""A container, a job of a batch system or `taskset` leaves a study some cores of the machine.

The limit is a real one: the operating system's, for this process and those that it starts.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from res2net.cores import usable_cores
from search.profiling.measuring import slots
from search.run import main
from search.study.events import Ended, Started
from search.study.journal import read
from tests.search.spaces import TINY, plan_of, write
from tests.search.test_run import run

pytestmark = [
    pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two cores"),
    pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux"),
    pytest.mark.usefixtures("one_core"),
]


@pytest.fixture
def one_core() -> Iterator[None]:
    """Leave this process one core of the machine."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield
    os.sched_setaffinity(0, before)


def test_a_core_of_others_is_not_counted(tmp_path: Path) -> None:
    assert usable_cores() == 1
    assert slots(plan_of(tmp_path)) == 1


def test_a_trial_that_asks_for_more_is_told_both_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space = write(tmp_path, TINY.replace("{cpu: 1}", "{cpu: 2}"))
    assert main([str(space), "--out", str(tmp_path / "run")]) == 2
    assert (
        "resources.cpu: a trial asks for 2, but this process may use 1 of this machine's "
        f"{os.cpu_count()}; write at most that"
    ) in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.slow  # each start of Ray takes seconds
@pytest.mark.ray
def test_ray_runs_no_more_trials_at_once_than_there_are_cores(tmp_path: Path) -> None:
    code, printed = run(write(tmp_path), "--out", tmp_path / "run")
    assert code == 0, printed
    alive: set[int] = set()
    for record in read(tmp_path / "run"):
        if isinstance(record, Started):
            alive.add(record.trial)
        if isinstance(record, Ended):
            alive.remove(record.trial)
        assert len(alive) < 2
