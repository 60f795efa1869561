"""What one file can ask at once, and the same from Python."""

import json
from pathlib import Path
from typing import Any

import pytest

from res2net import build
from search import load_space, run_study, train_network
from search.engine.bench import make_bench
from search.result import StudyResult
from search.run import main
from search.schema.yaml import ConfigError
from search.study.events import Ended, Started, Status
from search.study.journal import read
from search.train import main as train
from tests.search.spaces import TINY, write

TOGETHER = """\
# Which small network is good and small? Stop the bad, repeat the rest, confirm the best.
study: together
network: {planes: 2, depth: 11, cardinality: [1, 2], scale: [1, 2, 3], width: [1, 2, 3]}
budget: {macs: {max: 1M}}
data: {name: synthetic, validation: 64, train: 96}
training: {epochs: 4, batch_size: 32, lr: 0.05, precision: fp32}
search: {sampler: tpe, trials: 8, seeds: 2, objectives: [val_error, params]}
scheduler: {name: asha, grace: 1, reduction: 2}
confirm: {top: 1, seeds: 2, epochs: 5}
keep: {best: 2}
"""


def test_asha_seeds_confirm_two_objectives_and_weights_in_one_file(tmp_path: Path) -> None:
    events: list[object] = []
    path = write(tmp_path, TOGETHER)
    result = run_study(path, out=tmp_path / "run", inline=True, on_event=events.append)
    assert result.finished
    ended = {t.started.trial: t.ended for t in result.trials if t.ended is not None}
    assert len(ended) == len(result.trials)
    search = [t for t in result.trials if t.started.phase == "search"]
    first = {t.name: t.ended.status for t in search if t.started.repeat == 0 and t.ended}
    pruned = [name for name, status in first.items() if status is Status.PRUNED]
    assert pruned, "something was stopped"
    assert len(search) == 8 + (8 - len(pruned))
    confirmed = [t for t in result.trials if t.started.phase == "confirm"]
    assert [t.started.epochs for t in confirmed] == [5, 5]
    assert result.best is not None
    assert {t.name for t in confirmed} == {result.best.name}
    assert sum(isinstance(e, Started) for e in events) == len(result.trials)
    assert sum(isinstance(e, Ended) for e in events) == len(result.trials)
    check_weights(result)


def check_weights(result: StudyResult) -> None:
    """Those of the two best networks with their seeds, and of the confirmed one: exact."""
    assert "-confirmed-" in result.weights[0].name
    kept = {path.name for path in result.weights}
    there = {path.name for path in (result.folder / "networks").glob("*.safetensors")}
    assert kept == there
    assert len(kept) == 2 * 2 + 2
    task = make_bench(result.plan, Path("nowhere")).task
    by_trial = {t.started.trial: t for t in result.trials}
    for path in result.weights:
        about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        network = build(about["name"], weights=path).eval()
        error = task.scores(network, "test")["error"]
        assert error == about["metrics"]["test_error"]
        assert error == by_trial[about["trial"]].metrics["test_error"]


def test_fewer_weights_are_kept_where_the_file_says_so(tmp_path: Path) -> None:
    space = load_space(write(tmp_path, TINY), ["keep.best=0"])
    result = run_study(space, out=tmp_path / "run", inline=True)
    assert result.finished
    assert result.weights == ()
    assert not list((tmp_path / "run").glob("networks/*"))


def test_overrides_of_a_space_that_is_loaded_are_refused(tmp_path: Path) -> None:
    space = load_space(write(tmp_path))
    with pytest.raises(ConfigError, match="come too late for a space that is already loaded"):
        run_study(space, overrides=["search.trials=2"], out=tmp_path / "run", inline=True)
    assert not (tmp_path / "run").exists()


def test_a_study_from_a_mapping_is_that_of_the_file(tmp_path: Path) -> None:
    space = {
        "study": "tiny",
        "network": {"planes": 2, "depth": 11, "scale": [1, 2], "width": [1, 2]},
        "data": {"name": "synthetic", "validation": 64},
        "training": {"epochs": 1, "batch_size": 32, "precision": "fp32"},
        "search": {"sampler": "grid"},
    }
    result = run_study(space, out=tmp_path / "run", inline=True)
    assert [t.ended.status for t in result.trials if t.ended] == [Status.OK] * 4
    again = ["--inline", "--out", str(tmp_path / "again")]
    assert main([str(tmp_path / "run/space.yaml"), *again]) == 0
    assert metrics_in(tmp_path / "again") == [dict(trial.metrics) for trial in result.trials]


def metrics_in(folder: Path) -> list[dict[str, float]]:
    return [record.metrics for record in read(folder) if isinstance(record, Ended)]


def test_one_network_is_trained_by_command_and_from_python(tmp_path: Path) -> None:
    name = "res2net11_2w1.2.3s_2p"
    said = ["--data", "synthetic", "--epochs", "2", "--seeds", "2", "--set", "training.lr=0.05"]
    assert train([name, *said, "--inline", "--out", str(tmp_path / "run")]) == 0
    result = train_network(
        name,
        data="synthetic",
        epochs=2,
        seeds=2,
        training={"lr": 0.05},
        out=tmp_path / "python",
        inline=True,
    )
    assert result.finished
    assert len(result.trials) == 2
    started = [trial.started for trial in result.trials]
    assert {one.name for one in started} == {f"{name}_4classes"}
    assert metrics_in(tmp_path / "run") == [dict(trial.metrics) for trial in result.trials]


def test_a_network_that_is_none_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert train(["ResNot-50", "--data", "synthetic", "--epochs", "1"]) == 2
    assert "ResNot-50" in capsys.readouterr().err


@pytest.mark.parametrize("space", [5, None, ["space.yaml"]])
def test_what_is_no_space_is_refused(space: Any) -> None:
    with pytest.raises(ConfigError, match="give the path of a file, or a mapping of its keys"):
        load_space(space)


def test_what_is_left_out_may_be_none(tmp_path: Path) -> None:
    assert load_space(str(write(tmp_path)), None).file.study == "tiny"
    with pytest.raises(ConfigError, match="give a list of texts, key=value each"):
        load_space(write(tmp_path), [None])  # type: ignore[list-item]  # as untyped code may
    with pytest.raises(ConfigError, match="training: has epochs, which are an argument"):
        train_network("resnet11_1w_2p", data="digits", epochs=1, training={"epochs": 2})


def test_a_space_in_the_home_folder_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_space("~/space.yaml").file.study == "tiny"


def test_one_text_of_overrides_is_not_taken_letter_by_letter(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="give a list of texts, key=value each"):
        load_space(write(tmp_path), "search.trials=2")
