"""Damage to the record of a real run: read as what it was, or refused in words; never misread.

The run is made once, of a network so small that it takes a second. Bits flip and files end at
places that are drawn from a fixed seed.
"""

import contextlib
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis import report
from analysis.runs.run import read_run
from search.run import main
from search.schema.seals import opened_file, sealed_document, sealed_line
from search.schema.yaml import ConfigError
from search.study import journal, manifest
from search.study.checkpoints import checkpoint_path
from search.study.events import Ended, Epoch, Started, Status
from search.study.journal import FILE, JournalError
from search.study.order import Order, OrderError
from tests.search.spaces import TINY, started_fields, write

TIMES = 300
TWO = TINY.replace("trials: 3", "trials: 2")


class Recorded:
    """A run that ended, and a checkpoint of one of its networks."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.space = folder / "run", write(folder, TWO)
        assert main([str(self.space), "--out", str(self.folder), "--inline"]) == 0
        self.records = journal.read(self.folder)
        self.plan = manifest.read(self.folder)
        started = next(one for one in self.records if isinstance(one, Started))
        self.checkpoint = checkpoint_path(folder, 0)
        trial = trial_of(self.folder, started, self.checkpoint)
        trial.step()
        trial.save()
        self.content = loaded(self.checkpoint)


def trial_of(folder: Path, started: Started, checkpoint: Path) -> Any:
    from search.engine.bench import make_bench  # noqa: PLC0415 - seconds
    from search.engine.trial import Trial  # noqa: PLC0415

    noted = manifest.read(folder)
    assert noted is not None
    return Trial(started, bench=make_bench(noted.plan, folder), checkpoint=checkpoint)


def loaded(path: Path) -> bytes:
    """What is inside a checkpoint, as bytes; SealError where it is damaged."""
    with opened_file(path) as file:
        state = torch.load(file, weights_only=True)
        file.seek(0)
        assert state["started"]["trial"] == 0
        return file.read()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Recorded:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("search.closing.draw_summary", lambda *_, **__: 0)
        return Recorded(tmp_path_factory.mktemp("recorded"))


def flips(whole: bytes) -> list[bytes]:
    draw = random.Random(1)
    damaged = []
    for _ in range(TIMES):
        content, at = bytearray(whole), draw.randrange(len(whole))
        content[at] ^= 1 << draw.randrange(8)
        damaged.append(bytes(content))
    return damaged


def cuts(whole: bytes) -> list[bytes]:
    draw = random.Random(2)
    return [whole[: draw.randrange(len(whole))] for _ in range(TIMES)]


def copied(folder: Path, to: Path) -> Path:
    to.mkdir()
    for name in (FILE, manifest.FILE, "space.yaml"):
        shutil.copy(folder / name, to / name)
    return to


def read_both_ways(folder: Path) -> list[Any]:
    """All records, after what the analysis reads of them."""
    without = journal.read(folder, epochs=False)
    journal.epoch_lines(folder)
    records = journal.read(folder)
    assert without == [one for one in records if not isinstance(one, Epoch)]
    return records


def test_a_flipped_bit_in_the_journal_is_refused(recorded: Recorded, tmp_path: Path) -> None:
    folder = copied(recorded.folder, tmp_path / "run")
    for content in flips((folder / FILE).read_bytes()):
        (folder / FILE).write_bytes(content)
        for reader in (read_both_ways, journal.epoch_lines):
            with pytest.raises(JournalError, match=r"journal.jsonl:\d+: .*; (restore|update)"):
                reader(folder)


def test_a_journal_cut_anywhere_is_its_begin(recorded: Recorded, tmp_path: Path) -> None:
    folder = copied(recorded.folder, tmp_path / "run")
    for content in cuts((folder / FILE).read_bytes()):
        (folder / FILE).write_bytes(content)
        if b"\n" not in content:
            with pytest.raises(JournalError, match="is empty, although"):
                journal.read(folder)
            continue
        found = read_both_ways(folder)
        assert found == recorded.records[: content.count(b"\n") - 1]


@pytest.mark.parametrize("damaged", [flips, cuts])
def test_a_damaged_manifest_is_refused(
    recorded: Recorded, tmp_path: Path, damaged: Callable[[bytes], list[bytes]]
) -> None:
    folder = copied(recorded.folder, tmp_path / "run")
    assert recorded.plan is not None
    for content in damaged((folder / manifest.FILE).read_bytes()):
        (folder / manifest.FILE).write_bytes(content)
        for reader in (
            lambda: manifest.read(folder),
            lambda: manifest.going_on(folder, recorded.plan.plan),
            lambda: manifest.same_images(folder, ()),
        ):
            with pytest.raises(ConfigError, match=r"manifest.json: (is damaged|has version)"):
                reader()


@pytest.mark.parametrize("damaged", [flips, cuts])
def test_a_damaged_checkpoint_is_refused(
    recorded: Recorded, tmp_path: Path, damaged: Callable[[bytes], list[bytes]]
) -> None:
    path = tmp_path / "0.pt"
    shutil.copy(recorded.checkpoint, path)
    assert loaded(path) == recorded.content
    for content in damaged(path.read_bytes()):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"0.pt: is damaged \(its checksum"):
            loaded(path)


def lines_of(folder: Path) -> list[bytes]:
    return (folder / FILE).read_bytes().splitlines()


def put(folder: Path, lines: list[bytes]) -> None:
    (folder / FILE).write_bytes(b"".join(line + b"\n" for line in lines))


def at(folder: Path, event: str, trial: int = 0, epoch: int | None = None) -> int:
    """Place of a line."""
    for place, line in enumerate(lines_of(folder)):
        data = json.loads(line)
        if (data["event"], data.get("trial")) == (event, trial) and (
            epoch is None or data["epoch"] == epoch
        ):
            return place
    raise AssertionError


ORDERS = {
    "doubled epoch": (lambda at, lines: [*lines[: at("epoch", 0, 2)], lines[at("epoch", 0, 1)],
                      *lines[at("epoch", 0, 2):]], "trial 0 reports epoch 1 after 1"),
    "dropped epoch": (lambda at, lines: without(lines, at("epoch", 0, 2)),
                      "trial 0 reports epoch 3 after 1"),
    "dropped first": (lambda at, lines: without(lines, at("epoch", 0, 1)),
                      "trial 0 reports epoch 2 after no other"),
    "dropped last": (lambda at, lines: without(lines, at("epoch", 0, 3)),
                     "trial 0 ends as ok after 2 of 3 epochs"),
    "dropped start": (lambda at, lines: without(lines, at("start", 1)),
                      "trial 1 reports epoch 1 and never started"),
    "doubled start": (lambda at, lines: [*lines, lines[at("start", 0)]],
                      "trial 0 starts twice"),
    "doubled end": (lambda at, lines: [*lines, lines[at("end", 0)]],
                    "trial 0 ends and has ended"),
    "swapped": (lambda at, lines: swapped(lines, at("epoch", 1, 1), at("epoch", 1, 2)),
                "trial 1 reports epoch 2 after no other"),
    "dropped header": (lambda at, lines: lines[1:], ":1: is damaged"),
}  # fmt: skip


def without(lines: list[bytes], place: int) -> list[bytes]:
    return [*lines[:place], *lines[place + 1 :]]


def swapped(lines: list[bytes], one: int, other: int) -> list[bytes]:
    lines = list(lines)
    lines[one], lines[other] = lines[other], lines[one]
    return lines


@pytest.mark.parametrize("change", ORDERS)
def test_whole_lines_in_another_order_are_refused(
    recorded: Recorded, tmp_path: Path, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(recorded.folder, tmp_path / "run")
    make, said = ORDERS[change]
    put(folder, make(lambda *which: at(folder, *which), lines_of(folder)))
    for epochs in (True, False):
        with pytest.raises(JournalError, match=said):
            journal.read(folder, epochs=epochs)
    for command in (
        lambda: report.main([str(folder)]),
        lambda: main([str(recorded.space), "--out", str(folder), "--inline"]),
    ):
        assert command() == 2
        assert said in capsys.readouterr().err


TYPES: dict[str, tuple[str, dict[str, Any], str]] = {
    "text for a number": ("epoch", {"seconds": "1.5"}, "seconds is '1.5'"),
    "text for a metric": ("epoch", {"metrics": {"val_error": "7"}}, "val_error of its metrics"),
    "other metrics": ("epoch", {"metrics": 7}, "metrics is 7"),
    "a float trial": ("end", {"trial": 0.0}, "trial is 0.0"),
    "true for one": ("start", {"epochs": True}, "epochs is True"),
    "a status": ("end", {"status": "lucky"}, "'lucky' is not a valid Status"),
    "a phase": ("start", {"phase": "party"}, "phase is 'party'"),
    "taken": ("end", {"taken": {"parts": "2"}}, "in taken, parts is '2'"),
    "a depth": ("start", {"architecture": {"depth": 21}}, "its architecture is none"),
    "a key": ("start", {"architecture": {"colour": 1}}, "its architecture is none"),
    "an event": ("end", {"event": "party"}, "its event is 'party'"),
    "a list": ("start", {"name": ["a"]}, r"name is ['a']"),
}


@pytest.mark.parametrize("change", TYPES)
def test_other_types_are_refused_though_the_checksum_fits(
    recorded: Recorded, tmp_path: Path, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(recorded.folder, tmp_path / "run")
    event, changes, said = TYPES[change]
    lines, place = lines_of(folder), at(folder, event)
    lines[place] = sealed_line(json.loads(lines[place]) | changes)
    put(folder, lines)
    for command in (
        lambda: report.main([str(folder)]),
        lambda: main([str(recorded.space), "--out", str(folder), "--inline"]),
    ):
        assert command() == 2
        printed = capsys.readouterr().err
        assert f"{FILE}:{place + 1}: is damaged" in printed
        assert said in printed


@pytest.mark.parametrize("event", ["start", "epoch", "end"])
def test_a_field_that_is_missing_is_named(
    recorded: Recorded, tmp_path: Path, event: str
) -> None:
    folder = copied(recorded.folder, tmp_path / "run")
    whole, place = lines_of(folder), at(folder, event)
    data = json.loads(whole[place])
    kind = {"start": Started, "epoch": Epoch, "end": Ended}[event]
    needed = {"trial", "metrics"} if kind is Ended else {"trial", "architecture", "seconds"}
    for name in needed & data.keys():
        line = sealed_line({key: data[key] for key in data if key != name})
        put(folder, [*whole[:place], line, *whole[place + 1 :]])
        with pytest.raises(JournalError, match=f"is damaged .it has no {name}"):
            journal.read(folder)


def test_the_journal_is_not_taken_for_one_of_an_earlier_version(
    recorded: Recorded, tmp_path: Path
) -> None:
    """Neither by its header nor by lines that lost their checksums."""
    folder = copied(recorded.folder, tmp_path / "run")
    whole = lines_of(folder)
    bare = [line[: line.rindex(b',"crc"')] + b"}" for line in whole]
    put(folder, [b'{"event":"journal","version":2}', *whole[1:4], whole[4][:-4] + b'00"}'])
    with pytest.raises(JournalError, match=r":5: is damaged \(its checksum does not fit it"):
        journal.read(folder)
    for lines in ([bare[0], *whole[1:]], [whole[0], *bare[1:]]):
        put(folder, lines)
        with pytest.raises(JournalError, match="it ends without its checksum"):
            journal.read(folder)


def test_the_remedy_is_true(recorded: Recorded, tmp_path: Path) -> None:
    """Without the lines of the damaged trial the same command runs as many again."""
    folder = copied(recorded.folder, tmp_path / "run")
    put(folder, [line for line in lines_of(folder) if b'"trial":1,' not in line])
    assert main([str(recorded.space), "--out", str(folder), "--inline"]) == 0
    ends = {one.trial: one.metrics for one in journal.read(folder) if isinstance(one, Ended)}
    assert ends == {
        one.trial: one.metrics for one in recorded.records if isinstance(one, Ended)
    }


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e300, 1e300) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_whatever_a_field_holds_it_is_read_or_named(
    recorded: Recorded, tmp_path: Path, data: st.DataObject
) -> None:
    """Of any field, inside architectures and ends too, and for every reader."""
    folder = tmp_path / "run"
    if not folder.exists():
        copied(recorded.folder, folder)
    whole = lines_of(recorded.folder)
    place = data.draw(st.integers(0, len(whole) - 1))
    record = json.loads(whole[place])
    inside = [one for one in record.values() if isinstance(one, dict) and one]
    part = data.draw(st.sampled_from([record, *inside]))
    part[data.draw(st.sampled_from(sorted(part)))] = data.draw(ANYTHING)
    put(folder, [*whole[:place], sealed_line(record), *whole[place + 1 :]])
    for reader in (lambda: journal.read(folder), lambda: journal.read(folder, epochs=False)):
        with contextlib.suppress(JournalError):
            reader()


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["start", "epoch", "end"]))))
def test_what_a_study_may_write_is_in_order_and_nothing_else(
    events: list[tuple[int, str]],
) -> None:
    """Against a plain count of what each trial has done, whatever ran beside it."""
    order, done = Order(), dict[int, list[str]]()
    for trial, event in events:
        before = done.setdefault(trial, [])
        sound = {
            "start": not before,
            "epoch": bool(before) and "end" not in before,
            "end": bool(before) and "end" not in before and before.count("epoch") == 2,
        }[event]
        number = before.count("epoch") + 1
        record = {
            "start": Started(**started_fields(trial=trial, epochs=2)),
            "epoch": Epoch(trial=trial, epoch=number, metrics={}, images_per_s=1, seconds=1),
            "end": Ended(trial=trial, status=Status.OK, epochs=2),
        }[event]
        if not sound:
            with pytest.raises(OrderError, match=f"trial {trial} "):
                order.take(record)
            return
        order.take(record)
        before.append(event)


MANIFESTS: dict[str, Any] = {
    "a list": [1, 2],
    "a number": 5,
    "no version": {},
    "a text": {"version": "4"},
    "no plan": {"version": 4, "starts": []},
    "no starts": lambda raw: {**raw, "starts": None},
    "a start": lambda raw: {**raw, "starts": [1]},
    "seeds": lambda raw: {**raw, "starts": [{"seeds": "3"}]},
    "metrics": lambda raw: {**raw, "metrics": [{"name": 3}]},
    "traits": lambda raw: {**raw, "traits": {"sampler": 3}},
    "parts": lambda raw: {**raw, "parts": [{"key": "block"}]},
    "left out": lambda raw: {**raw, "left_out": "all"},
    "a plan": lambda raw: {**raw, "plan": [1]},
    "a sampler": lambda raw: {**raw, "plan": {**raw["plan"], "search": 7}},
    "newer": lambda raw: {**raw, "version": 99},
}


@pytest.mark.parametrize("change", MANIFESTS)
def test_a_manifest_that_holds_something_else_is_refused(
    recorded: Recorded, tmp_path: Path, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(recorded.folder, tmp_path / "run")
    path, data = folder / manifest.FILE, MANIFESTS[change]
    if callable(data):
        path.write_text(sealed_document(data(json.loads(path.read_text()))))
    else:
        path.write_text(json.dumps(data))
    for command in (
        lambda: report.main([str(folder)]),
        lambda: main([str(recorded.space), "--out", str(folder), "--inline"]),
    ):
        assert command() == 2
        printed = capsys.readouterr().err
        assert "manifest.json: " in printed or "of another version" in printed


def test_what_is_whole_is_read(recorded: Recorded) -> None:
    assert read_both_ways(recorded.folder) == recorded.records
    assert len(read_run(recorded.folder).trials) == 2
