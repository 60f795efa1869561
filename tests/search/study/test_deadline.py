"""A time limit: nothing starts that cannot report, what runs is kept, and it goes on."""

import time
from pathlib import Path

import pytest

from search.run import main
from search.schema.units import seconds
from search.space.survey import survey
from search.study.deadline import Deadline
from search.study.events import Ended, Epoch, Started
from search.study.journal import Journal, read
from search.study.study import Study
from tests.search.spaces import TINY, plan_of, started_fields, write
from tests.search.study.test_study import end_of, epoch_of, run
from tests.search.test_run import run as run_command

LONG = TINY.replace("epochs: 3", "epochs: 400").replace("trials: 3", "trials: 2")


@pytest.mark.parametrize(
    ("text", "value"),
    [("25m", 1500), ("90s", 90), ("1h30m", 5400), ("0.5h", 1800), ("2d", 172800)],
)
def test_times_as_people_write_them(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "25", "m", "25 m", "-5m", "0s", "1:30", "5x", "1.2.3s"])
def test_anything_else_is_refused_before_anything_runs(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [str(write(tmp_path)), "--out", str(tmp_path / "run"), f"--time-limit={text}"]
    assert main(command) == 2
    assert "--time-limit: " in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_trial_that_could_not_report_in_time_is_not_started(tmp_path: Path) -> None:
    config = plan_of(tmp_path)
    surveyed = survey(config)
    deadline = Deadline(60.0)
    with Journal(tmp_path / "run") as journal:
        study = Study(config, surveyed, journal, deadline)
        first = study.next()
        assert first is not None, "nothing is known of its speed, so it starts"
        study.report(_slow(first, 3000.0))
        assert not study.over
        assert study.next() is None
        assert study.over
        assert not study.finished
    assert len([r for r in read(tmp_path / "run") if isinstance(r, Started)]) == 1


def _slow(started: Started, took: float) -> Epoch:
    return Epoch(
        trial=started.trial, epoch=1, metrics={"val_error": 50.0, "val_error_top5": 10.0},
        images_per_s=1.0, seconds=took,
    )  # fmt: skip


def test_what_runs_is_told_to_stop_when_time_is_up(tmp_path: Path) -> None:
    config = plan_of(tmp_path)
    deadline = Deadline(0.2)
    with Journal(tmp_path / "run") as journal:
        study = Study(config, survey(config), journal, deadline)
        started = study.next()
        assert started is not None
        time.sleep(0.21)
        assert study.report(epoch_of(started, 1))
        assert started.trial in study.history.live, "it is not pruned: it goes on some day"
        assert study.over
    with Journal(tmp_path / "run") as journal:
        ran = run(Study(config, survey(config), journal))
    assert [one.trial for one in ran] == [0, 1, 2]
    assert not [r for r in read(tmp_path / "run") if isinstance(r, Ended) and r.reason]


def test_unknown_speed_starts_and_known_speed_decides() -> None:
    deadline = Deadline(100.0)
    small = Started(**started_fields(macs=10))
    large = Started(**started_fields(macs=1000))
    assert deadline.allows(large)
    deadline.note(small, Epoch(trial=0, epoch=1, metrics={}, images_per_s=1.0, seconds=2.0))
    assert deadline.allows(small)
    assert not deadline.allows(large), "200 s are not left"
    deadline.note(large, _slow(large, 60.0))
    assert deadline.allows(large), "its own time is known better"
    assert deadline.allows(Started(**started_fields(macs=2))), "no more than that of 10 MACs"


def test_inline_it_ends_in_time_with_4_and_the_command_that_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [str(write(tmp_path, LONG)), "--inline", "--out", str(tmp_path / "run")]
    assert main([*command, "--time-limit", "2s"]) == 4
    printed = capsys.readouterr().out
    assert "time is up (2s): 0 trials have ended, 1 is kept" in printed
    assert "resume with: python -m search.run" in printed
    done = max(record.epoch for record in read(tmp_path / "run") if isinstance(record, Epoch))
    shorter = ["--set", "search.trials=2"]
    assert main([*command, *shorter, "--time-limit", "1s"]) == 4
    more = max(record.epoch for record in read(tmp_path / "run") if isinstance(record, Epoch))
    assert more > done, "it went on from its checkpoint"


def test_ctrl_c_before_the_time_is_up_is_no_end_in_time(tmp_path: Path) -> None:
    config = plan_of(tmp_path)
    with Journal(tmp_path / "run") as journal:
        study = Study(config, survey(config), journal, Deadline(1000.0))
        first = study.next()
        assert first is not None
        study.report(_slow(first, 30_000.0))
        assert study.next() is None, "nothing else could report in time"
        assert study.over
        assert not study.out_of_time, "one is running, and could go on"
        study.end(end_of(first))
        assert study.out_of_time


def test_what_another_start_left_is_not_running_in_this_one(tmp_path: Path) -> None:
    config = plan_of(tmp_path, TINY, "search.trials=2")
    with Journal(tmp_path / "run") as journal:
        study = Study(config, survey(config), journal)
        assert study.next() is not None
        assert study.next() is not None
    with Journal(tmp_path / "run") as journal:
        study = Study(config, survey(config), journal, Deadline(1000.0))
        first = study.next()
        assert first is not None
        study.report(_slow(first, 30_000.0))
        study.end(end_of(first))
        assert study.next() is None, "the other one could not report in time"
        assert study.over
        assert study.out_of_time


@pytest.mark.slow  # the same inline above; test_run_on_ray.py keeps at Ctrl-C what runs on Ray
@pytest.mark.ray
def test_on_ray_what_runs_is_kept_in_time_and_goes_on(tmp_path: Path, ray_address: str) -> None:
    text = TINY.replace("epochs: 3", "epochs: 5000").replace("trials: 3", "trials: 2")
    command = [write(tmp_path, text), "--out", tmp_path / "run"]
    begin = time.monotonic()
    code, printed = run_command(*command, "--time-limit", "25s", "--address", ray_address)
    # Whole, the trials take minutes; a busy machine may start Ray later than the limit.
    assert time.monotonic() - begin < 90
    assert code == 4, printed
    assert "time is up" in printed
    in_order = "time is up (25s): 0 trials have ended" in printed  # else Ray was not waited for
    kept = list((tmp_path / "run" / "checkpoints").glob("*.pt"))
    before = [record for record in read(tmp_path / "run") if isinstance(record, Epoch)]
    started = {r.trial for r in read(tmp_path / "run") if isinstance(r, Started)}
    saved = {int(path.stem.removesuffix(".before")) for path in kept}
    assert saved <= started
    assert not in_order or {record.trial for record in before} <= saved
    code, printed = run_command(*command, "--inline", "--time-limit", "12s")
    assert code == 4, printed
    assert f"resuming: 0 trials have ended, {len(started)} interrupted" in printed
    after = [record for record in read(tmp_path / "run") if isinstance(record, Epoch)]
    assert len(after) > len(before)
    for trial in {record.trial for record in after}:
        numbers = [record.epoch for record in after if record.trial == trial]
        assert numbers == list(range(1, len(numbers) + 1)), "none twice, none left out"
