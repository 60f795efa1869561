"""The journal: append-only, one writer, whole after a crash."""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from search.schema.seals import sealed_line
from search.schema.yaml import ConfigError
from search.study.events import Ended, Epoch, Started, Status
from search.study.journal import FILE, Journal, JournalError, read
from search.study.syncing import WITHIN, Syncs
from tests.search.spaces import started_fields

EPOCH = Epoch(
    trial=0, epoch=1, images_per_s=9.0,
    metrics={"train_loss": 1.5, "val_error": 50.0, "val_error_top5": 10.0},
    seconds=1.0,
)  # fmt: skip
RECORDS = [
    Started(**started_fields(epochs=1)),
    EPOCH,
    Ended(trial=0, status=Status.OK, epochs=1, metrics={"val_error": 50.0, "test_error": 51.0}),
    Started(**started_fields(trial=1)),
    Ended(trial=1, status=Status.DIVERGED, reason="the training loss of epoch 1 is nan"),
]


def written(folder: Path) -> Path:
    with Journal(folder) as journal:
        for record in RECORDS:
            journal.append(record)
    return folder / FILE


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert read(tmp_path) == RECORDS
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["event"] for line in lines] == [
        "journal", "start", "epoch", "end", "start", "end",
    ]  # fmt: skip


def test_a_run_without_a_journal_has_no_records(tmp_path: Path) -> None:
    assert read(tmp_path) == []


@pytest.mark.parametrize("left", [b"", b'{"event":"jour', None])
def test_a_journal_that_is_lost_is_named_and_not_begun_anew(
    left: bytes | None, tmp_path: Path
) -> None:
    path = written(tmp_path)
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    path.unlink()
    if left is not None:
        path.write_bytes(left)
    for reader in (read, Journal):
        with pytest.raises(JournalError, match=r"jsonl: is .*(empty|missing), although mani"):
            reader(tmp_path)
    assert (path.read_bytes() if path.exists() else None) == left
    Journal(tmp_path / "new").close()


def test_every_torn_last_line_is_dropped_and_the_next_write_is_whole(tmp_path: Path) -> None:
    whole = written(tmp_path).read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    for size in range(last, len(whole)):
        (tmp_path / FILE).write_bytes(whole[:size])
        assert read(tmp_path) == RECORDS[:-1]
        with Journal(tmp_path) as journal:
            assert list(journal.records()) == RECORDS[:-1]
            journal.append(RECORDS[-1])
        assert (tmp_path / FILE).read_bytes() == whole


@pytest.mark.parametrize(
    "damage", [b"{nonsense\n", b"[]\n", b'{"event":"party"}\n', b'{"event":"end"}\n', b"\xff\n",
               b'{"event":"end","trial":0,"status":"lucky"}\n'],
)  # fmt: skip
def test_damage_elsewhere_is_an_error_with_its_line(tmp_path: Path, damage: bytes) -> None:
    path = written(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], damage, *lines[2:]]))
    with pytest.raises(JournalError, match=r"journal.jsonl:3: is damaged .* restore"):
        read(tmp_path)
    with Journal(tmp_path) as journal, pytest.raises(JournalError):
        list(journal.records())
    assert damage in path.read_bytes(), "reading changes nothing"


def test_a_newer_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"event":"journal","version":99}\n', encoding="utf-8")
    with pytest.raises(
        JournalError, match="version 99, but this program reads up to 3; update"
    ):
        read(tmp_path)


def test_keys_of_later_versions_are_left_aside(tmp_path: Path) -> None:
    path = written(tmp_path)
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    later = [sealed_line(line | {"energy_j": 3.5}) for line in lines]
    path.write_bytes(b"\n".join([*later, b""]))
    assert read(tmp_path) == RECORDS


def run_python(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_second_writer_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    holder = run_python(
        "import sys; from pathlib import Path; from search.study.journal import Journal;"
        "journal = Journal(Path(sys.argv[1])); print('open', flush=True); input()",
        tmp_path,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"
    with pytest.raises(ConfigError, match=f"in use by process {holder.pid}, .* --out"):
        Journal(tmp_path)
    holder.kill()
    holder.communicate()
    Journal(tmp_path).close()


def test_a_full_disk_loses_nothing_that_was_written(tmp_path: Path) -> None:
    """A limit on the size of files fails writes as a full disk does, half a line in."""
    code = """
import resource, signal, sys
from dataclasses import replace
from pathlib import Path
from search.study.journal import Journal
from tests.search.study.test_journal import EPOCH, RECORDS
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
count = 0
with Journal(Path(sys.argv[1])) as journal:
    journal.append(RECORDS[0])
    try:
        while True:
            journal.append(replace(EPOCH, epoch=count + 1))
            count += 1
    except OSError as error:
        print(type(error).__name__, count)
"""
    printed, _ = run_python(code, tmp_path).communicate()
    name, count = printed.split()
    assert name == "OSError"
    assert int(count) > 3
    assert (tmp_path / FILE).read_bytes().endswith(b"\n"), "no torn line is left"
    epochs = [replace(EPOCH, epoch=number + 1) for number in range(int(count))]
    assert read(tmp_path) == [RECORDS[0], *epochs]


def test_numbers_that_json_does_not_have_never_reach_the_file(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal, pytest.raises(ValueError, match="Out of range float"):
        journal.append(Ended(trial=0, status=Status.OK, metrics={"val_error": float("nan")}))
    assert read(tmp_path) == []


def traced(code: str, folder: Path) -> list[tuple[str, float, str]]:
    """What the kernel was asked: each write to the journal and each sync of it, and when."""
    trace = folder / "trace"
    strace = ["strace", "-f", "-ttt", "-y", "-s", "20", "-e", "trace=fsync,write"]
    command = [*strace, "-o", str(trace), sys.executable, "-c", code, str(folder)]
    try:
        subprocess.run(command, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("strace does not run here")
    lines = [line for line in trace.read_text().splitlines() if FILE in line]
    calls = (re.match(r"\d+ +([\d.]+) (\w+)\((.*)", line) for line in lines)
    return [(call[2], float(call[1]), call[3]) for call in calls if call]


TRACED = """
import sys, time
from pathlib import Path
from search.study.journal import Journal
from tests.search.study.test_journal import RECORDS
journal = Journal(Path(sys.argv[1]))
"""


def test_many_ends_in_a_second_are_put_on_the_disk_together(tmp_path: Path) -> None:
    calls = traced(f"{TRACED}\nfor r in RECORDS: journal.append(r)\njournal.close()", tmp_path)
    names = [name for name, *_ in calls]
    assert names[:2] == ["write", "fsync"], "a new file"
    assert names[2:] == ["write"] * len(RECORDS) + ["fsync"], "and the last when it is closed"


def test_an_end_is_on_the_disk_within_a_second_though_nothing_follows(tmp_path: Path) -> None:
    """The first at once, as the last sync is long ago; the second by the clock alone."""
    wait = f"time.sleep({WITHIN} + 0.1)"
    code = (
        f"{TRACED}\n{wait}\nfor r in RECORDS: journal.append(r)\n{wait}\nimport os; os._exit(0)"
    )
    calls = [
        call for call in traced(code, tmp_path) if "event" in call[2] or call[0] == "fsync"
    ]
    assert [name for name, *_ in calls[:2]] == ["write", "fsync"]
    ended = [i for i, call in enumerate(calls) if '"event\\":\\"end' in call[2]]
    assert calls[ended[0] + 1][0] == "fsync", "before anything else"
    after = [at for name, at, _ in calls[ended[1] :] if name == "fsync"]
    assert len(after) == 1
    assert 0 < after[0] - calls[ended[1]][1] < WITHIN + 0.5
    assert after[0] - calls[ended[0] + 1][1] > WITHIN - 0.1, "not once an end"


def test_a_late_sync_that_fails_is_told_at_the_next_record(tmp_path: Path) -> None:
    """A pipe cannot be synced: the kernel says so, as it would of a broken disk."""
    reading, writing = os.pipe()
    for told in ("check", "close"):
        syncs = Syncs(writing, within=0.1)
        with pytest.raises(OSError, match="Invalid argument"):
            syncs.ask()
        syncs.ask()
        time.sleep(0.3)
        with pytest.raises(OSError, match="Invalid argument"):
            getattr(syncs, told)()
        syncs.check()
    journal = Journal(tmp_path)
    journal.append(RECORDS[0])
    os.dup2(writing, journal._syncs._descriptor)
    journal.append(Ended(trial=0, status=Status.FAILED))
    time.sleep(WITHIN + 0.3)
    before = journal.path.read_bytes()
    with pytest.raises(OSError, match="Invalid argument"):
        journal.append(RECORDS[3])
    assert journal.path.read_bytes() == before
    with pytest.raises(OSError, match="Invalid argument"):
        journal.close()
    os.close(reading)
    os.close(writing)


def test_the_pid_in_the_lock_is_ours(tmp_path: Path) -> None:
    with Journal(tmp_path):
        assert (tmp_path / ".lock").read_text() == str(os.getpid())


@pytest.mark.parametrize("name", ["../../victim", "/etc/victim", "a/b", "..", ".hidden", ""])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    """Weights are written to, and removed from, a path with the name of their network."""
    with Journal(tmp_path) as journal:
        journal.append(replace(RECORDS[0], name=name))
    with pytest.raises(JournalError, match="which is no network's"):
        read(tmp_path)
