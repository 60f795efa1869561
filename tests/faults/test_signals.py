"""However a command is asked to end, it ends in order: saved, with a word, with code 130."""

import contextlib
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from res2net.exit_codes import ExitCode
from search.executors.signals import STOPPED
from search.run import main
from search.study.events import Epoch
from search.study.journal import read
from tests.search.spaces import TINY, write
from tests.search.test_run import check_whole, ends_in, spawn, wait_for

ROOT = Path(__file__).parents[2]
ENDLESS = TINY.replace("epochs: 3", "epochs: 100000")
ONCE = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def has_epochs(folder: Path) -> bool:
    return any(isinstance(record, Epoch) for record in read(folder))


def command(folder: Path, text: str = ENDLESS) -> Sequence[object]:
    return (write(folder, text), "--inline", "--out", folder / "run")


def check_saved(process: subprocess.Popen[str], folder: Path) -> str:
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 130, printed
    assert "Traceback" not in printed
    assert "resume with: python -m search.run" in printed
    assert [path.name for path in folder.glob("run/checkpoints/*")] == ["0.pt"]
    return printed


@pytest.fixture(autouse=True)
def hung_up_as_usual() -> Iterator[None]:
    """Children hear SIGHUP also where these tests were started by nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def test_the_code_is_that_of_all_commands() -> None:
    assert STOPPED == ExitCode.STOPPED


@pytest.mark.parametrize(
    "signals",
    [
        pytest.param((signal.SIGHUP,), marks=pytest.mark.slow),  # as by a terminal, below
        pytest.param((signal.SIGTERM,) * 2, marks=pytest.mark.slow),  # as of all three
        pytest.param((signal.SIGINT,) * 3, marks=pytest.mark.slow),  # the same
        ONCE[::-1],
    ],
    ids=lambda signals: "+".join(one.name for one in signals),
)
def test_what_is_under_way_is_saved_however_often_it_is_asked(
    tmp_path: Path, signals: tuple[signal.Signals, ...]
) -> None:
    process = spawn(*command(tmp_path))
    wait_for(lambda: has_epochs(tmp_path / "run"), process=process)
    for one in signals:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, one)
        time.sleep(0.05)
    check_saved(process, tmp_path)


@pytest.mark.slow
def test_who_asks_again_later_is_not_kept_waiting(tmp_path: Path) -> None:
    """An epoch of minutes: the second wish interrupts it."""
    long = ENDLESS.replace(
        "{name: synthetic, validation: 64}", "{name: synthetic, validation: 1}"
    )
    process = spawn(*command(tmp_path, long))
    wait_for(lambda: has_epochs(tmp_path / "run"), process=process)
    for _ in range(3):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=1.1)
    printed, _ = process.communicate(timeout=10)
    assert process.returncode == 130, printed
    assert "Traceback" not in printed


@pytest.mark.slow
def test_nohup_means_what_it_means(tmp_path: Path) -> None:
    python = [sys.executable, "-m", "search.run", *map(str, command(tmp_path, TINY))]
    process = subprocess.Popen(
        ["bash", "-c", 'trap "" HUP; exec "$@"', "bash", *python],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: has_epochs(tmp_path / "run"), process=process)
    os.kill(process.pid, signal.SIGHUP)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0, printed
    check_whole(tmp_path / "run", trials=3)


def catches_sigterm(process: subprocess.Popen[str]) -> bool:
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize(
    ("module", "later"),
    [
        *(  # as in the other, which goes through the same process
            pytest.param("search.run", later, marks=pytest.mark.slow)
            for later in (0.0, 0.3, 0.8)
        ),
        ("search.train", 0.1),
    ],
)
def test_while_it_starts_a_signal_ends_it_quietly(
    tmp_path: Path, module: str, later: float
) -> None:
    data = ["resnet11_2w_2p_4classes", "--data", "synthetic", "--epochs", "100000"]
    rest = command(tmp_path) if module == "search.run" else [*data, *command(tmp_path)[1:]]
    process = subprocess.Popen(
        [sys.executable, "-m", module, *map(str, rest)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while not catches_sigterm(process):
        assert process.poll() is None
    maps = Path(f"/proc/{process.pid}/maps").read_text()
    assert "pydantic" not in maps, "signals are taken in hand before the long imports"
    time.sleep(later)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 130, printed
    assert "Traceback" not in printed
    assert "stopped" in printed


@pytest.mark.slow
def test_a_plan_that_is_measured_keeps_nothing_when_it_is_stopped(tmp_path: Path) -> None:
    process = spawn(write(tmp_path), "--plan", "--measure")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    wait_for(lambda: len(children.read_text().split()) > 1, process=process)  # they rehearse
    os.killpg(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 130, printed
    assert "stopped: nothing was started, and nothing is kept" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    "number",
    [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)],  # handled alike
    ids=lambda number: number.name,
)
def test_at_the_end_nothing_of_what_was_finished_is_lost(
    tmp_path: Path, number: signal.Signals
) -> None:
    process = spawn(*command(tmp_path, TINY))
    wait_for(lambda: len(ends_in(tmp_path / "run")) == 3, process=process)
    for _ in range(3):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        time.sleep(0.3)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode in (0, 130), printed
    assert "Traceback" not in printed
    check_whole(tmp_path / "run", trials=3)


@pytest.mark.parametrize("its_own", [True, False], ids=["SIGHUP", "no signal"])
@pytest.mark.slow
def test_a_terminal_that_vanishes(tmp_path: Path, its_own: bool) -> None:
    """Whether or not its end is told by a signal, nothing that is printed can be."""
    text = TINY.replace("epochs: 3", "epochs: 12") if its_own else TINY
    screen, ours = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "search.run", *map(str, command(tmp_path, text))],
        cwd=ROOT,
        stdin=ours,
        stdout=ours,
        stderr=ours,
        start_new_session=not its_own,
        preexec_fn=(lambda: os.login_tty(ours)) if its_own else None,  # noqa: PLW1509
    )
    os.close(ours)
    wait_for(lambda: has_epochs(tmp_path / "run"), process=process)
    os.close(screen)
    code = process.wait(timeout=60)
    assert code == (130 if its_own else 0)
    if its_own:
        assert main([str(one) for one in command(tmp_path, text)]) == 0
    check_whole(tmp_path / "run", trials=3)
