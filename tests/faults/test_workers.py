"""Workers that hang, machines that hang, memory that runs out: the trials go on elsewhere."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from ray.cluster_utils import Cluster

from benchmarks.soak import (
    problems,
    raylet_of,
    results,
    undisturbed,
    workers_below,
    write_space,
)
from search.study.events import Epoch, Lost
from search.study.journal import Record, read

REST = 0.05  # seconds after each step: a trial takes about 4 s
OWN = {"RAY_memory_monitor_refresh_ms": "100", "RAY_memory_usage_threshold": "0.02"}


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A head that runs no trials, and two machines of one core."""
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
    )
    yield cluster
    cluster.shutdown()


class Run:
    """A study on a cluster, started as a person does."""

    def __init__(self, folder: Path, cluster: Cluster, *, trials: int, silence: str) -> None:
        self._folder, self._trials = folder, trials
        self.out, self._said = folder / "run", folder / "said.txt"
        space = write_space(folder, trials=trials, seconds=REST)
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "search.run", str(space), "--out", str(self.out),
                 "--address", cluster.address, "--set", f"resources.silence={silence}"],
                stdout=said, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def wait_for_epochs(self, count: int) -> None:
        until = time.monotonic() + 120
        while sum(isinstance(record, Epoch) for record in read(self.out)) < count:
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < until
            time.sleep(0.1)

    def said(self) -> str:
        return self._said.read_text(encoding="utf-8")

    def losses(self) -> list[Lost]:
        """Of the whole study, once it has ended as if nothing had been."""
        assert self.process.wait(timeout=200) == 0, self.said()
        records: list[Record] = read(self.out)
        whole = undisturbed(self._folder, trials=self._trials)
        assert not problems(records, results(read(whole)))
        return [record for record in records if isinstance(record, Lost)]


@pytest.mark.slow
@pytest.mark.ray
def test_a_worker_that_hangs_is_killed_and_its_trial_goes_on(
    tmp_path: Path, cluster: Cluster
) -> None:
    node = cluster.add_node(num_cpus=1)
    run = Run(tmp_path, cluster, trials=2, silence="10s")
    run.wait_for_epochs(1)
    (worker,) = workers_below(raylet_of(node))
    worker.send_signal(signal.SIGSTOP)
    (lost,) = run.losses()
    assert re.fullmatch(
        r"its worker on node [\d.]+ is gone: it said nothing for 9 s, and was killed",
        lost.reason,
    )
    assert re.search(
        (r"trial 0 has reported nothing for \d s; after 9 s \(resources"), run.said()
    )


# A data set that can be read where the command is given, and not by a worker.
HANGING = """
import time
import numpy as np
import ray

class Hanging:
    classes, image_size, train, test = 4, 8, 320, 32

    def load(self, root):
        if ray.is_initialized():
            time.sleep(10_000)
        labels = np.arange(352) % 4
        images = np.zeros((352, 8, 8, 3), np.uint8)
        return (images[:320], labels[:320]), (images[320:], labels[320:])

DATA = Hanging()
"""


@pytest.mark.slow
@pytest.mark.ray
def test_a_worker_that_hangs_while_it_is_set_up_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "hanging.py").write_text(HANGING, encoding="utf-8")
    space = write_space(tmp_path, trials=1, seconds=0.0)
    said = tmp_path / "said.txt"
    with said.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "search.run", str(space), "--out", str(tmp_path / "run"),
             "--set", f"data={{name: '{tmp_path}/hanging.py:DATA', validation: 16}}",
             "--set", "resources.silence=15s"],
            stdout=file, stderr=subprocess.STDOUT,
        )  # fmt: skip
    until = time.monotonic() + 90
    waits = re.compile(r"trial 0 has waited \d s for a worker")
    while not waits.search(said.read_text(encoding="utf-8")):
        assert process.poll() is None, said.read_text(encoding="utf-8")
        assert time.monotonic() < until
        time.sleep(0.2)
    time.sleep(20)  # a worker that only needs long would have trained meanwhile
    assert not [record for record in read(tmp_path / "run") if isinstance(record, Epoch)]
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130, said.read_text(encoding="utf-8")
    assert "resume with" in said.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.ray
def test_a_worker_that_hangs_does_not_hold_up_the_end_of_the_time(tmp_path: Path) -> None:
    space, out = write_space(tmp_path, trials=50, seconds=REST), tmp_path / "run"
    begin = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "search.run", str(space), "--out", str(out),
         "--time-limit", "45s"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    while not any(isinstance(record, Epoch) for record in read(out)):
        assert time.monotonic() < begin + 30
        time.sleep(0.1)
    raylets = psutil.Process(process.pid).children()
    (raylet,) = (one for one in raylets if one.name() == "raylet")
    workers_below(raylet)[0].send_signal(signal.SIGSTOP)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 4, said
    assert time.monotonic() - begin < 50, "a little late, as nothing can be known of it"
    assert not [record for record in read(out) if isinstance(record, Lost)]


@pytest.mark.slow
@pytest.mark.ray
def test_a_machine_that_hangs_is_given_up(tmp_path: Path, cluster: Cluster) -> None:
    """By Ray, which asks every machine whether it lives."""
    node, _ = cluster.add_node(num_cpus=1), cluster.add_node(num_cpus=1)
    run = Run(tmp_path, cluster, trials=6, silence="10m")
    run.wait_for_epochs(2)
    raylet = raylet_of(node)
    stopped = [raylet, *raylet.children(recursive=True)]
    for process in stopped:
        process.send_signal(signal.SIGSTOP)
    try:
        (lost,) = run.losses()
        assert lost.times == 1
    finally:
        for process in stopped:
            if process.is_running():
                process.kill()


@pytest.mark.slow
@pytest.mark.ray
def test_a_worker_that_is_killed_for_memory_is_no_result_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine whose memory seems full kills the same trial again and again."""
    for name, value in OWN.items():
        monkeypatch.setenv(name, value)
    space, out = write_space(tmp_path, trials=1, seconds=REST), tmp_path / "run"
    process = subprocess.run(
        [sys.executable, "-m", "search.run", str(space), "--out", str(out)],
        capture_output=True, text=True, timeout=300, env=dict(os.environ), check=False,
    )  # fmt: skip
    assert process.returncode == 3, process.stdout + process.stderr
    records = read(out)
    assert [r.times for r in records if isinstance(r, Lost)] == [1, 2, 3, 4]
    assert "trial 0 out-of-memory: lost 4 times without an epoch in between" in process.stdout
    assert "killed due to the node running low on memory" in process.stdout
