"""A promoted trial ends as one that nobody paused or killed: on a CPU to the bit."""

import os
import signal
from pathlib import Path

import pytest

from search.run import main
from search.study.events import Ended, Epoch, Resumed, Status
from search.study.journal import FILE, read
from tests.search.spaces import TINY, write
from tests.search.test_run import run, spawn, wait_for

DIGITS = TINY.replace(
    "name: synthetic, validation: 64", "name: digits, train: 96, validation: 48"
)
PROMOTION = (
    DIGITS.replace(
        "trials: 3, seed: 0}",
        "trials: 6, seed: 0}\nscheduler: {name: asha, promotion: true, grace: 1, reduction: 2}",
    )
    .replace("epochs: 3", "epochs: 5")
    .replace("[11, 20]", "11")
    .replace("min: 20K", "min: 5K")
)


def results(folder: Path) -> dict[int, tuple[Status, int, dict[str, float]]]:
    return {
        end.trial: (end.status, end.epochs, end.metrics)
        for end in read(folder)
        if isinstance(end, Ended)
    }


def reported(folder: Path) -> list[tuple[int, int, dict[str, float]]]:
    return [(e.trial, e.epoch, e.metrics) for e in read(folder) if isinstance(e, Epoch)]


@pytest.mark.slow
def test_killed_between_rungs_the_same_trials_are_promoted_and_end_the_same(
    tmp_path: Path,
) -> None:
    """Killed with -9 as soon as a trial is promoted, and gone on with by the same command."""
    path = write(tmp_path, PROMOTION)
    assert main([str(path), "--out", str(tmp_path / "whole"), "--inline"]) == 0
    whole = results(tmp_path / "whole")
    promoted = [trial for trial, (status, *_) in whole.items() if status is Status.OK]
    assert promoted
    assert {epochs for status, epochs, _ in whole.values() if status is Status.PRUNED} <= {
        1,
        2,
        4,
    }
    killed = tmp_path / "killed"
    process = spawn(path, "--out", killed, "--inline")
    wait_for(lambda: any(isinstance(r, Resumed) for r in records(killed)), process=process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert len(results(killed)) < len(whole), "it was killed on the way"
    assert main([str(path), "--out", str(killed), "--inline"]) == 0
    assert results(killed) == whole
    assert reported(killed) == reported(tmp_path / "whole"), "every epoch, in the same order"
    for weights in (tmp_path / "whole" / "networks").glob("*.safetensors"):
        assert (killed / "networks" / weights.name).read_bytes() == weights.read_bytes()
    alone = PROMOTION.partition("scheduler:")[0] + "resources: {cpu: 1}\n"
    (tmp_path / "alone").mkdir()
    alone_path = write(tmp_path / "alone", alone)
    assert main([str(alone_path), "--out", str(tmp_path / "alone/run"), "--inline"]) == 0
    undisturbed = results(tmp_path / "alone" / "run")
    for trial in promoted:
        assert whole[trial] == undisturbed[trial], "as if it had never rested"


def records(folder: Path) -> list[object]:
    return list(read(folder)) if (folder / FILE).exists() else []


@pytest.mark.slow  # tests of the broker and of the study hold the same, without Ray
@pytest.mark.ray
def test_trials_rest_and_go_on_in_other_workers_on_ray(
    tmp_path: Path, ray_address: str
) -> None:
    path, out = (
        write(
            tmp_path,
            PROMOTION.replace("digits, train: 96, validation: 48", "synthetic, validation: 64"),
        ),
        tmp_path / "run",
    )
    code, printed = run(path, "--out", out, "--address", ray_address)
    assert code == 0, printed
    ends = results(out)
    assert len(ends) == 6
    assert {status for status, *_ in ends.values()} == {Status.OK, Status.PRUNED}
    assert {e for s, e, _ in ends.values() if s is Status.PRUNED} <= {1, 2, 4}
    assert any(isinstance(record, Resumed) for record in records(out))
    for trial in ends:
        epochs = [epoch for one, epoch, _ in reported(out) if one == trial]
        assert epochs == list(range(1, len(epochs) + 1))
