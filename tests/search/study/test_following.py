"""A journal that grows is followed: each record once, and none before its line is whole."""

from pathlib import Path

import pytest

from search.study import journal
from search.study.events import Lost, Started
from search.study.following import Follower
from search.study.journal import FILE, Journal, JournalError
from tests.analysis.studied import write_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", lambda _: 30.0, stop_after=5)


def test_it_reads_what_the_journal_holds_byte_by_byte(folder: Path, tmp_path: Path) -> None:
    content = (folder / FILE).read_bytes()
    follower = Follower(tmp_path)
    assert follower.new() == []  # nothing is there yet
    found = []
    with (tmp_path / FILE).open("ab", buffering=0) as file:
        for at in range(0, len(content), 97):
            file.write(content[at : at + 97])
            found += follower.new()
    assert found == journal.read(folder)
    assert follower.new() == []


def test_it_follows_a_writer_that_holds_the_lock(folder: Path) -> None:
    follower = Follower(folder)
    started = [one for one in follower.new() if isinstance(one, Started)]
    with Journal(folder) as written:
        written.append(started[0].__class__(**_fields(started[0], trial=99)))
        written.append(lost := Lost(trial=99, reason="gone", times=1))
        before, after = follower.new()
        assert (before.trial, after) == (99, lost)


def test_damage_is_named_by_its_line(folder: Path) -> None:
    follower = Follower(folder)
    lines = len(follower.new()) + 1
    with (folder / FILE).open("ab") as file:
        file.write(b'{"event":"end","trial":0}\n')
    with pytest.raises(JournalError, match=rf"{FILE}:{lines + 1}: is damaged"):
        follower.new()


def test_a_journal_that_was_replaced_is_said(folder: Path) -> None:
    follower = Follower(folder)
    follower.new()
    (folder / FILE).unlink()
    with pytest.raises(JournalError, match="start again to read it as it is now"):
        follower.new()


def _fields(started: Started, **changes: object) -> dict[str, object]:
    return {key: value for key, value in started.to_json().items() if key != "event"} | changes
