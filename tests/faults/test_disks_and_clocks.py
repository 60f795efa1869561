"""A disk that fills up, and a clock that is set back, in the middle of a study."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from search.run import main
from search.study.events import Ended
from search.study.journal import read
from tests.search.spaces import TINY, write

# A disk of its own for a run, gone with the process; what it held is copied before.
SMALL = """
mount -t tmpfs -o size=$1 small "$2" && cp -r "$2.start/." "$2" || exit 99
folder=$2; shift 2
"$@"; code=$?
cp -r "$folder" "$folder.end"
exit $code
"""
KEPT = (
    TINY.replace("resources:", "keep: {best: 9}\nresources:")
    .replace("trials: 3", "trials: 9")
    .replace("epochs: 3", "epochs: 1")
    .replace("validation: 64", "validation: 64, train: 128")
)


def on_a_small_disk(size: str, disk: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command while a disk of so many bytes is mounted; its content is in DISK.end."""
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare")
    disk.mkdir(exist_ok=True)
    disk.with_name(f"{disk.name}.start").mkdir(exist_ok=True)
    unshared = ["unshare", "--map-root-user", "--mount", "sh", "-c", SMALL, "sh", size, disk]
    done = subprocess.run(
        [*map(str, unshared), *command],
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    if done.returncode == 99 or "unshare failed" in done.stderr:
        pytest.skip("this kernel gives us no namespaces")
    return done


def ends(folder: Path) -> list[tuple[int, str, dict[str, float]]]:
    return [(r.trial, r.status, r.metrics) for r in read(folder) if isinstance(r, Ended)]


@pytest.mark.parametrize(
    "where",
    ["--inline", pytest.param("", marks=[pytest.mark.slow, pytest.mark.ray])],
    ids=["inline", "on-ray"],
)
def test_a_disk_that_fills_up_stops_the_study_and_costs_no_trial(
    tmp_path: Path, where: str
) -> None:
    """The weights of the first trials fit, those of a later one do not."""
    path, disk = write(tmp_path, KEPT), tmp_path / "disk"
    how = [where] if where else []
    command = [sys.executable, "-m", "search.run", str(path), *how]
    ran = on_a_small_disk("320k", disk, *command, "--out", str(disk / "run"))
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "No space left on device; make room on that disk" in ran.stderr
    assert "Traceback" not in ran.stderr
    copied = disk.with_name("disk.end") / "run"
    before = ends(copied)
    assert 0 < len(before) < 9
    assert {status for _, status, _ in before} <= {"ok"}
    assert main([str(path), "--out", str(copied), "--inline"]) == 0
    assert main([str(path), "--out", str(tmp_path / "whole"), "--inline"]) == 0
    assert sorted(ends(copied)) == sorted(ends(tmp_path / "whole"))


def test_a_clock_that_is_set_back_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, looks, real = write(tmp_path), 0, time.time
    assert main([str(path), "--out", str(tmp_path / "whole"), "--inline"]) == 0

    def set_back() -> float:
        nonlocal looks
        looks += 1
        return real() - (86_400 if looks > 5 else 0)

    monkeypatch.setattr(time, "time", set_back)
    limited = [str(path), "--out", str(tmp_path / "run"), "--inline", "--time-limit", "2m"]
    assert main(limited) == 0
    assert looks > 5
    assert ends(tmp_path / "run") == ends(tmp_path / "whole")
    times = [record.time for record in read(tmp_path / "run") if isinstance(record, Ended)]
    assert min(times) < real() - 80_000, "it was set back"
