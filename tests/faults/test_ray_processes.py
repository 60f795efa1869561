"""Ray around the driver: what it lets in, how it is left in time, and what its death costs."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from search.study.events import Epoch
from search.study.journal import read
from tests.search.spaces import TINY, write
from tests.search.test_run import ends_in, spawn, wait_for
from tests.search.test_run_on_ray import ancestors, worker_of

pytestmark = pytest.mark.ray
LONG = TINY.replace("epochs: 3", "epochs: 100000").replace("trials: 3", "trials: 2")


def below(driver: int) -> Iterator[Path]:
    """What /proc says of a driver and of every process under it."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if driver in ancestors(folder) | {int(folder.name)}:
                yield folder


def process_of(driver: int, name: str) -> int:
    for folder in below(driver):
        if (folder / "cmdline").read_bytes().split(b"\0")[0].endswith(f"/{name}".encode()):
            return int(folder.name)
    raise AssertionError(name)


def listening(driver: int) -> list[str]:
    """The addresses at which a driver's processes listen, as the kernel writes them."""
    sockets = set()
    for folder in below(driver):
        for file in (folder / "fd").iterdir():
            with contextlib.suppress(OSError):
                sockets.add(str(file.readlink()))
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path("/proc/net", table).read_text().splitlines()[1:]
    ]
    return [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]


def epochs_in(folder: Path) -> Counter[int]:
    return Counter(record.trial for record in read(folder) if isinstance(record, Epoch))


def start(folder: Path) -> subprocess.Popen[str]:
    """A study on a Ray of its own, both of whose trials are under way."""
    out = folder / "run"
    before = epochs_in(out)
    process = spawn(write(folder, LONG), "--out", out)
    wait_for(lambda: len(epochs_in(out) - before) == 2, process=process)
    return process


def check_kept(folder: Path) -> None:
    """Nothing failed, and both trials have a checkpoint to go on from."""
    out = folder / "run"
    assert not ends_in(out)
    newest = {path.name for path in out.glob("checkpoints/*") if ".before" not in path.name}
    assert newest == {"0.pt", "1.pt"}


@pytest.mark.slow  # a worker is killed every time, in tests/search/test_run_on_ray.py
@pytest.mark.parametrize(("name", "seconds"), [("raylet", 15), ("gcs_server", 25)])
def test_where_ray_dies_it_is_said_and_nothing_is_lost(
    tmp_path: Path, name: str, seconds: float
) -> None:
    process = start(tmp_path)
    found = listening(process.pid)
    assert len(found) >= 5, "of gcs_server, raylet, two workers, the driver"
    loopback = re.compile(r"0100007F:\w+|0{16}FFFF00000100007F:\w+")
    assert not [one for one in found if not loopback.fullmatch(one)]
    begin = time.monotonic()
    os.kill(process_of(process.pid, name), signal.SIGKILL)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 1, printed
    assert time.monotonic() - begin < seconds
    assert "Traceback" not in printed
    last = printed.strip().splitlines()[-1]
    assert re.fullmatch(
        rf"Ray has died: .*\({name}\) is gone .* kept, .* the same command resumes it", last
    )
    check_kept(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "hangs"),
    [(signal.SIGTERM, False), (signal.SIGHUP, True)],
    ids=["SIGTERM", "SIGHUP, a worker hangs"],
)
def test_a_preempted_machine_s_thirty_seconds_are_enough(
    tmp_path: Path, number: signal.Signals, hangs: bool
) -> None:
    process = start(tmp_path)
    if hangs:
        os.kill(worker_of(process.pid), signal.SIGSTOP)
    begin = time.monotonic()
    os.kill(process.pid, number)
    os.kill(process.pid, number)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 130, printed
    assert time.monotonic() - begin < 25
    assert "Traceback" not in printed
    out = tmp_path / "run"
    saved = sorted(path.name for path in out.glob("checkpoints/*"))
    assert saved == ["0.pt", "1.pt"] if not hangs else saved
    assert len(saved) >= 1
    assert not ends_in(out)


@pytest.mark.slow  # inline runs have the same in tests/kinds
def test_a_study_on_ray_whose_output_nobody_reads_ends_with_a_word(tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-m", "search.run", write(tmp_path, LONG), "--out", out],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr as errors:
        said = errors.read()
    assert process.wait(timeout=60) == 130, said
    assert "the output has left" in said
    assert "Traceback" not in said
