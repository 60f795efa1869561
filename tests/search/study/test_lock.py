"""The lock of a run: one writer, on whatever host, and nobody who lost it writes.

Two hosts are two processes in namespaces of the kernel: each has a host name of its own, and a
`.lock` of its own mounted over that of the folder, so that `flock` of the one says nothing to
the other, as on file systems of networks that do not pass it on. All else is one folder.
"""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from search.schema.yaml import ConfigError
from search.study.events import Turn
from search.study.journal import FILE, Journal, read
from search.study.lock import Lock, locked
from search.study.study import Study
from tests.search.spaces import TINY, resolved_of, write
from tests.search.study.test_journal import RECORDS

HOST = 'hostname "$0" && mount --bind "$1" "$2" && shift 2 && exec "$@"'
NAMESPACES = ["unshare", "--map-root-user", "--mount", "--uts", "sh", "-c", HOST]
HOLD = """
import sys
from pathlib import Path
from search.study.lock import Lock
from search.study.journal import Journal
from tests.search.study.test_journal import RECORDS
Lock.__init__.__kwdefaults__.update(beat=0.2, patience=1.5)
try:
    journal = Journal(Path(sys.argv[1]), say=lambda words: print(words, flush=True))
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
print("open", flush=True)
for line in sys.stdin:
    try:
        journal.append(RECORDS[int(line)])
        print("written", flush=True)
    except OSError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
journal.close()
"""


class Hosts:
    """Starts processes on hosts that share a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "run"
        self.folder.mkdir()
        (self.folder / ".lock").touch()
        self.started: list[subprocess.Popen[str]] = []
        self._locks = folder

    def command(self, host: str, *command: object) -> list[str]:
        own = self._locks / f"lock of {host}"
        own.touch()
        return [*NAMESPACES, host, *map(str, (own, self.folder / ".lock", *command))]

    def hold(self, host: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            self.command(host, sys.executable, "-c", HOLD, self.folder),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.started.append(process)
        return process


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    made = Hosts(tmp_path)
    if (
        shutil.which("unshare") is None
        or subprocess.run(
            made.command("a", "true"), capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("this kernel gives us no namespaces")
    yield made
    for process in made.started:
        process.kill()
        process.communicate()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def ask(process: subprocess.Popen[str], record: int) -> str:
    """Let a holder write a record; what came of it."""
    assert process.stdin is not None
    process.stdin.write(f"{record}\n")
    process.stdin.flush()
    return line_of(process)


def test_another_host_is_refused_while_the_holder_lives(hosts: Hosts) -> None:
    holder = hosts.hold("node-a")
    assert line_of(holder) == "open"
    begin = time.monotonic()
    other = hosts.hold("node-b")
    printed, error = other.communicate(timeout=60)
    assert other.returncode == 1
    assert f"is held by process {holder.pid} on node-a; watching for up to 1.5 s" in printed
    assert f"is in use by process {holder.pid} on node-a, which refreshed its lock" in error
    assert "less than 1 s ago; wait for it, stop it there, or give another folder" in error
    assert time.monotonic() - begin < 30
    assert ask(holder, 0) == "written"


def test_a_holder_that_died_elsewhere_is_given_up_after_a_while(hosts: Hosts) -> None:
    holder = hosts.hold("node-a")
    assert line_of(holder) == "open"
    assert ask(holder, 0) == "written"
    holder.kill()
    holder.wait()
    other = hosts.hold("node-b")
    assert "watching for up to 1.5 s" in line_of(other)
    begin = time.monotonic()
    said = line_of(other)
    assert time.monotonic() - begin > 1, "it had its time"
    assert f"process {holder.pid} on node-a has not refreshed its lock for 1.5 s; tak" in said
    assert line_of(other) == "open"
    assert ask(other, 1) == "written"
    assert read(hosts.folder) == RECORDS[:2]


def test_a_holder_that_slept_too_long_never_writes_again(hosts: Hosts) -> None:
    """Stopped by a signal, as by a host that was suspended; then both live."""
    sleeper = hosts.hold("node-a")
    assert line_of(sleeper) == "open"
    assert ask(sleeper, 0) == "written"
    os.kill(sleeper.pid, signal.SIGSTOP)
    other = hosts.hold("node-b")
    assert [line_of(other) for _ in range(3)][-1] == "open"
    os.kill(sleeper.pid, signal.SIGCONT)
    time.sleep(0.5)  # it refreshes what it takes for its lock
    said = ask(sleeper, 1)
    assert said.startswith("LockLostError: ")
    assert f"process {other.pid} on node-b has taken over this run" in said
    assert ask(other, 1) == "written"
    assert ask(sleeper, 2).startswith("LockLostError: "), "nor when it tries again"
    sleeper.communicate(timeout=60)
    assert ask(other, 2) == "written", "the end of the one frees nothing of the other's"
    assert read(hosts.folder) == RECORDS[:3]


def test_what_was_given_back_is_taken_at_once(hosts: Hosts) -> None:
    first = hosts.hold("node-a")
    assert line_of(first) == "open"
    first.communicate(timeout=60)
    assert line_of(hosts.hold("node-b")) == "open", "and nothing is said"


def test_on_one_host_a_killed_holder_is_followed_at_once(hosts: Hosts) -> None:
    first = hosts.hold("node-a")
    assert line_of(first) == "open"
    first.kill()
    first.wait()
    assert line_of(hosts.hold("node-a")) == "open", "the kernel knows that it has ended"


def test_a_clock_that_is_set_back_or_on_changes_nothing(tmp_path: Path) -> None:
    """Times of files say nothing: a holder of long ago that lives is respected."""
    with Lock(tmp_path, beat=0.1) as held:
        for moment in (0, 2**32):
            os.utime(tmp_path / ".holder", (moment, moment))
            held.check()
        with pytest.raises(ConfigError, match=f"in use by process {os.getpid()}, which"):
            Lock(tmp_path)
    assert not (tmp_path / ".holder").exists()


def test_a_holder_that_cannot_be_read_is_watched_too(tmp_path: Path) -> None:
    (tmp_path / ".holder").write_bytes(b'{"host": "node-')
    said: list[str] = []
    begin = time.monotonic()
    with Lock(tmp_path, say=said.append, beat=0.1, patience=0.5) as held:
        assert time.monotonic() - begin >= 0.5
        held.check()
    assert "is held by an unknown process" in said[0]
    assert "taking the run over" in said[1]


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (b"another's", "another process has taken over this run"),
        (None, "another process has taken over this run"),
    ],
)
def test_a_lock_that_was_lost_costs_the_journal_nothing(
    tmp_path: Path, claim: bytes | None, said: str
) -> None:
    with Journal(tmp_path) as journal:
        journal.append(RECORDS[0])
        whole, holder = (tmp_path / FILE).read_bytes(), tmp_path / ".holder"
        holder.unlink()
        if claim is not None:
            holder.write_bytes(claim)
        with pytest.raises(OSError, match=said):
            journal.append(RECORDS[1])
    assert (tmp_path / FILE).read_bytes() == whole


def test_a_run_that_another_host_took_over_is_left_alone(tmp_path: Path) -> None:
    """What looks superfluous to this process may be the other's newest weights."""
    plan, survey = resolved_of(tmp_path, TINY)
    run = tmp_path / "run"
    with Journal(run) as journal:
        study = Study(plan, survey, journal)
        started = study.next()
        assert started is not None
        theirs = run / "networks" / "of-another-seed0.safetensors"
        theirs.parent.mkdir()
        theirs.touch()
        (run / ".holder").write_bytes(b"of another host")
        with pytest.raises(OSError, match="has taken over this run"):
            study.tidy()
        with pytest.raises(OSError, match="has taken over this run"):
            study.turned(Turn(trial=started.trial, share=0.5, seconds=1.0))
        assert theirs.exists()


def test_a_folder_that_was_moved_is_called_that(tmp_path: Path) -> None:
    with Journal(tmp_path / "run") as journal:
        journal.append(RECORDS[0])
        (tmp_path / "run").rename(tmp_path / "moved")
        with pytest.raises(OSError, match="was moved or deleted while this process ran in it"):
            journal.append(RECORDS[1])


def test_a_full_disk_is_not_the_fault_of_the_folder(tmp_path: Path) -> None:
    """A limit on the size of files fails the write of the lock as a full disk does."""
    Journal(tmp_path / "run").close()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            locked(tmp_path / "run")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_command_is_refused_on_another_host(hosts: Hosts, tmp_path: Path) -> None:
    holder = hosts.hold("node-a")
    assert line_of(holder) == "open"
    command = [sys.executable, "-m", "search.run", write(tmp_path), "--inline", "--out"]
    ran = subprocess.run(
        hosts.command("node-b", *command, hosts.folder),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 2, ran.stderr
    assert f"is in use by process {holder.pid} on node-a, which refreshed" in ran.stderr
    assert "Traceback" not in ran.stderr


READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'


@pytest.mark.parametrize("begun", [False, True])
def test_a_read_only_disk_is_refused_before_anything_runs(tmp_path: Path, begun: bool) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if begun:
        Journal(disk / "run").close()
    unshared = ["unshare", "--map-root-user", "--mount", "sh", "-c", READ_ONLY, str(disk)]
    if subprocess.run([*unshared, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this kernel gives us no namespaces")
    command = [sys.executable, "-m", "search.run", str(write(tmp_path)), "--inline", "--out"]
    ran = subprocess.run(
        [*unshared, *command, str(disk / "run")],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 2, ran.stderr
    assert f"{disk}/run: cannot be the folder of a run" in ran.stderr
    assert "give another with --out" in ran.stderr
    assert "Traceback" not in ran.stderr
