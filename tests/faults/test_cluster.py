"""A cluster whose machines are killed and replaced in the middle of a study."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from ray.cluster_utils import Cluster

from benchmarks.soak import problems, results, undisturbed, write_space
from search.study.events import Ended, Lost
from search.study.journal import Record, read

TRIALS, REST = 32, 0.05  # a trial takes about 4 s
LATE = 6.0  # seconds until a new machine comes


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A head that runs no trials."""
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
    )
    yield cluster
    cluster.shutdown()


def wait_until_ended(folder: Path, trials: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while sum(isinstance(record, Ended) for record in read(folder)) < trials:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.ray
def test_two_of_four_nodes_are_killed_and_one_is_added(
    tmp_path: Path, cluster: Cluster
) -> None:
    nodes = [cluster.add_node(num_cpus=1) for _ in range(4)]
    space, out = write_space(tmp_path, trials=TRIALS, seconds=REST), tmp_path / "run"
    with (tmp_path / "said.txt").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "search.run", str(space), "--out", str(out),
             "--address", cluster.address],
            stdout=said, stderr=subprocess.STDOUT,
        )  # fmt: skip
        wait_until_ended(out, 8, process)
        for node in nodes[:2]:
            cluster.remove_node(node, allow_graceful=False)
        killed = time.time()
        time.sleep(LATE)
        cluster.add_node(num_cpus=1)
        added = time.time()
        assert process.wait(timeout=300) == 0, (tmp_path / "said.txt").read_text()
    records = read(out)
    expected = results(read(undisturbed(tmp_path, trials=TRIALS)))
    assert not problems(records, expected)
    losses = [record for record in records if isinstance(record, Lost)]
    assert Counter(one.times for one in losses) == {1: 2}, "what ran on the two nodes, once"
    took, allowed = taken(records, killed=killed, added=added)
    assert took < 1.5 * allowed


def taken(records: list[Record], *, killed: float, added: float) -> tuple[float, float]:
    """Seconds from the kill to the end, and those that the slots that were left allow."""
    ends = [record for record in records if isinstance(record, Ended) and record.time > killed]
    work = sum(end.seconds for end in ends)
    alone = added - killed  # two slots; three from then on
    return max(end.time for end in ends) - killed, alone + (work - 2 * alone) / 3
