"""Trackers hold what the journal holds, read back with the trackers' own readers."""

import importlib.util
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search import run_study
from search.schema.yaml import ConfigError
from search.study import journal
from search.study.events import Ended, Epoch, Started, Status
from tests.search.spaces import TINY, load, write

Scalars = dict[str, list[tuple[int, float]]]
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the trackers' own packages
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


def run(folder: Path, trackers: str, on_event: Callable[[Any], None] | None = None) -> Any:
    """A study of two networks, which a space file begins or goes on with."""
    folder.mkdir(exist_ok=True)
    text = TINY.replace("trials: 3", "trials: 2") + f"trackers: {trackers}\n"
    return run_study(
        write(folder, text), out=folder / "run", inline=True, quiet=True, on_event=on_event
    )


def stop_at(trial: int, epoch: int) -> Callable[[Any], None]:
    def stop(event: Any) -> None:
        if isinstance(event, Epoch) and (event.trial, event.epoch) == (trial, epoch):
            raise KeyboardInterrupt

    return stop


def recorded(folder: Path) -> dict[int, Scalars]:
    """What the journal says of each trial: each number by name, with its epoch."""
    found: dict[int, Scalars] = defaultdict(lambda: defaultdict(list))
    for record in journal.read(folder):
        if isinstance(record, Epoch):
            numbers = record.metrics | {
                "images_per_s": record.images_per_s,
                "seconds": record.seconds,
            }
            for name, value in numbers.items():
                found[record.trial][name].append((record.epoch, value))
        elif isinstance(record, Ended):
            for name, value in record.metrics.items():
                if name.startswith("test_"):
                    found[record.trial][name].append((record.epochs, value))
    return found


def starts(folder: Path) -> dict[int, Started]:
    return {one.trial: one for one in journal.read(folder) if isinstance(one, Started)}


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was stopped inside its second trial, and went on."""
    folder: Path = tmp_path_factory.mktemp("tracked")
    assert not run(folder, "[tensorboard, mlflow]", stop_at(1, 2)).finished
    assert run(folder, "[tensorboard, mlflow]").finished
    return folder / "run"


def test_tensorboard_reads_what_the_journal_holds(interrupted: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    place = interrupted / "tracking" / "tensorboard"
    trials = recorded(interrupted)
    assert {path.name for path in place.iterdir()} == set(map(str, trials)) == {"0", "1"}
    for trial, numbers in trials.items():
        events = accumulator.EventAccumulator(str(place / str(trial))).Reload()
        assert set(events.Tags()["scalars"]) == set(numbers)
        for name, wanted in numbers.items():
            read = [(one.step, one.value) for one in events.Scalars(name)]
            assert read == [(step, np.float32(value)) for step, value in wanted], name


def test_tensorboards_page_of_settings_knows_each_trial(interrupted: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    metadata = pytest.importorskip("tensorboard.plugins.hparams.metadata")
    for trial, started in starts(interrupted).items():
        place = interrupted / "tracking" / "tensorboard" / str(trial)
        events = accumulator.EventAccumulator(str(place)).Reload()
        content = events.PluginTagToContent("hparams")[metadata.SESSION_START_INFO_TAG]
        read = metadata.parse_session_start_info_plugin_data(content).hparams
        assert read["depth"].number_value == started.architecture["depth"]
        assert read["se"].bool_value is False
        assert read["name"].string_value == started.name
        assert read["macs"].number_value == started.macs


def test_mlflow_reads_what_the_journal_holds(
    interrupted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracking = pytest.importorskip("mlflow.tracking")
    assert "MLFLOW_ALLOW_FILE_STORE" not in os.environ  # the study left nothing behind
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    place = interrupted / "tracking" / "mlflow"
    client = tracking.MlflowClient(tracking_uri=place.resolve().as_uri())
    (experiment,) = (one for one in client.search_experiments() if one.name == "tiny")
    runs = {
        int(one.data.tags["trial"]): one
        for one in client.search_runs([experiment.experiment_id])
    }
    trials = recorded(interrupted)
    assert set(runs) == set(trials)
    for trial, numbers in trials.items():
        one = runs[trial]
        assert (one.info.status, one.data.tags["status"]) == ("FINISHED", "ok")
        assert one.data.params["name"] == starts(interrupted)[trial].name
        assert set(one.data.metrics) == set(numbers)
        for name, wanted in numbers.items():
            history = client.get_metric_history(one.info.run_id, name)
            assert [(each.step, each.value) for each in history] == wanted, name


def test_one_that_fails_later_is_said_once_and_the_study_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("search.api.draw_summary", lambda *_, **__: 0)
    place = tmp_path / "run" / "tracking" / "mlflow"

    def break_it(event: Any) -> None:
        if isinstance(event, Epoch) and place.is_dir() and event.epoch == 2:
            place.rename(tmp_path / "elsewhere")
            place.write_text("no folder any more", encoding="utf-8")

    text = TINY.replace("trials: 3", "trials: 2") + "trackers: [mlflow, tensorboard]\n"
    result = run_study(
        write(tmp_path, text), out=tmp_path / "run", inline=True, quiet=False, on_event=break_it
    )
    assert [trial.ended.status for trial in result.trials if trial.ended] == [Status.OK] * 2
    said = [line for line in capsys.readouterr().out.splitlines() if "trackers:" in line]
    assert len(said) == 1
    assert said[0].startswith("trackers: mlflow failed (")
    assert said[0].endswith("the study goes on, and its journal records everything")
    assert {path.name for path in (place.parent / "tensorboard").iterdir()} == {"0", "1"}


def test_weights_and_biases_keeps_offline_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setattr("search.api.draw_summary", lambda *_, **__: 0)
    run(tmp_path, "wandb", stop_at(1, 2))
    run(tmp_path, "wandb")
    ids = wandb_ids(tmp_path)
    # One part of the first trial, two of the one that was interrupted.
    assert [name.rpartition("-")[2] for name in ids] == ["0", "1", "1"]
    assert ids[1] == ids[2]
    (other := tmp_path / "other").mkdir()
    run(other, "wandb")
    assert not {*ids} & {*wandb_ids(other)}, "wandb sync would make one run of both"


def wandb_ids(folder: Path) -> list[str]:
    place = folder / "run" / "tracking" / "wandb" / "wandb"
    return sorted(path.stem.partition("-")[2] for path in place.glob("offline-run-*/*.wandb"))


@pytest.mark.skipif(importlib.util.find_spec("wandb") is not None, reason="it is installed")
def test_one_that_is_not_installed_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, TINY + "trackers: [wandb]\n")
    ended = subprocess.run(
        [sys.executable, "-m", "search.run", str(path), "--out", str(tmp_path / "run")],
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr == (
        f"{path}:15: trackers: wandb needs a package that is not installed; pip install "
        "wandb, or remove it\n"
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "[tensorbord]",
            "contains 'tensorbord', which is not a tracker; did you mean 'tensorboard'?",
        ),
        ("[mlflow, mlflow]", "contains a tracker twice; write each once"),
        (
            "{name: mlflow}",
            "is not a list of trackers; write one with any of tensorboard, mlflow, wandb",
        ),
        ("[1]", "contains 1, which is not a tracker; write any of tensorboard, mlflow, wandb"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, written: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(write(tmp_path, f"{TINY}trackers: {written}\n"))
    assert "space.yaml:15: trackers:" in str(error.value)
    assert said in str(error.value)


def test_a_replay_tells_no_tracker(tmp_path: Path) -> None:
    text = f"{TINY}execution: replay\ntrackers: tensorboard\n"
    with pytest.raises(ConfigError, match=r"trackers: .*a replay trains nothing; remove them"):
        load(write(tmp_path, text))


def test_a_study_may_get_other_trackers_as_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.api.draw_summary", lambda *_, **__: 0)
    run(tmp_path, "[]", stop_at(1, 2))
    assert run(tmp_path, "tensorboard").finished
    # What was over before is not made up for.
    assert [path.name for path in (tmp_path / "run/tracking/tensorboard").iterdir()] == ["1"]
