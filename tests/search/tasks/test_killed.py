"""Every task on scenes, killed with -9 in the middle, ends as if it had not been."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from search import run_study
from search.schema.tasks import TASKS
from search.study.events import Ended, Epoch
from search.study.journal import read
from tests.search.spaces import write
from tests.search.tasks.dense import HERE, space_of
from tests.search.tasks.dense import TASKS as DENSE

ROOT = Path(__file__).parents[3]
OPTIONS = DENSE | {
    name: f"{{name: {name}, channels: 8, hidden: 16, sampled: 8, proposals: 20}}"
    for name in ("detection", "instances")
}
# A checkpoint at each turn, so that the second process has something to go on from.
COMMAND = """\
import sys
import search.engine.trial
search.engine.trial._CHECKPOINT_SECONDS = 0.0
from search.run import main
sys.exit(main(sys.argv[1:]))
"""
FAST = "keypoints"
EPOCHS = 5


def tasks() -> list[object]:
    """One in the fast suite; the others are slow, and those whose library lacks are skipped."""
    others = [one for one in HERE if getattr(one, "values", (one,))[0] != FAST]
    named = [pytest.param(n, marks=pytest.mark.slow) for n in ("detection", "instances")]
    marked = [pytest.param(*one.values, marks=[*one.marks, pytest.mark.slow]) for one in others]
    return [FAST, *marked, *named]


def epochs_in(folder: Path) -> list[dict[str, float]]:
    return [one.metrics for one in read(folder) if isinstance(one, Epoch)]


def end_of(folder: Path) -> dict[str, float]:
    (end,) = [one for one in read(folder) if isinstance(one, Ended)]
    return end.metrics


@pytest.mark.parametrize("task", tasks())
def test_killed_it_ends_the_same(tmp_path: Path, task: str) -> None:
    assert task in TASKS.ours
    text = space_of(task, OPTIONS).replace("epochs: 2", f"epochs: {EPOCHS}")
    space = write(tmp_path, text)
    whole = run_study(space, out=tmp_path / "whole", inline=True).folder
    killed = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(space), "--inline", "--out", str(killed)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 120
    while len(epochs_in(killed)) < 2:
        assert process.poll() is None, "it ended"
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    before = len(epochs_in(killed))
    assert before < EPOCHS, "killed too late to say anything"
    assert list((killed / "checkpoints").iterdir())
    run_study(space, out=killed, inline=True)
    assert epochs_in(killed) == epochs_in(whole)
    assert end_of(killed) == end_of(whole)
