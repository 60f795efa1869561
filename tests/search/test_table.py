"""A run as a table: what is written reads back, and trained again it is the same to the bit."""

import csv
import gzip
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from res2net import parse
from search.executors import again
from search.replay.exporting import finished_run
from search.replay.from_run import run_source
from search.replay.sources import source_of
from search.run import main as run_main
from search.schema.yaml import ConfigError
from search.study.events import Ended, Epoch, Started, Status
from search.study.journal import FILE, read
from search.study.processor import processor_kind
from search.table import main
from tests.analysis.made import made as made_run
from tests.analysis.made import network
from tests.search.replay.tables import rows_of, write_table
from tests.search.spaces import DIGITS, TINY, resolved_of, write

NARROW = (
    DIGITS.replace("width: [1, 2]", "width: 1")
    .replace("[11, 20]", "[11, 47]")
    .replace("validation: 237, train: 200", "validation: 100, train: 100")
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run, its space and its table: 4 networks, 2 seeds, 2 epochs."""
    folder = tmp_path_factory.mktemp("made")
    run = folder / "run"
    assert run_main([str(write(folder, NARROW)), "--inline", f"--out={run}"]) == 0
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("search.profiling.latency._SECONDS", 0.1)
        note = "--note=the machine had other work"
        assert main([str(run), f"--out={folder / 'table'}", note]) == 0
    return folder


def test_a_table_holds_every_epoch_of_the_journal_as_it_is(made: Path) -> None:
    with gzip.open(made / "table" / "table.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    records = read(made / "run")
    trials = {one.trial: one for one in records if isinstance(one, Started)}
    epochs = [one for one in records if isinstance(one, Epoch)]
    written = {(r["network"], int(r["repeat"]), int(r["epoch"])): r for r in rows}
    assert len(written) == len(rows) == len(epochs) == 4 * 2 * 2
    for epoch in epochs:
        started = trials[epoch.trial]
        row = written[started.name, started.repeat, epoch.epoch]
        assert float(row["seconds"]) == epoch.seconds
        assert {name: float(row[name]) for name in epoch.metrics} == epoch.metrics
        network = parse(row["network"])
        for dimension in ("depth", "cardinality", "scale", "width"):
            assert int(row[dimension]) == getattr(network, dimension)
    for ended in (one for one in records if isinstance(one, Ended)):
        started = trials[ended.trial]
        row = written[started.name, started.repeat, ended.epochs]
        assert row["status"] == "ok"
        assert float(row["test_error"]) == ended.metrics["test_error"]
    packed = (made / "table" / "journal.jsonl.gz").read_bytes()
    assert gzip.decompress(packed) == (made / "run" / FILE).read_bytes()


def test_each_network_has_its_cost_and_its_latency(made: Path) -> None:
    frame = pd.read_csv(made / "table" / "networks.csv").set_index("network")
    started = {one.name: one for one in read(made / "run") if isinstance(one, Started)}
    assert {*frame.index} == {*started}
    for name, row in frame.iterrows():
        one = started[str(name)]
        assert (row["macs"], row["params"]) == (one.macs, one.params)
    for batch in (1, 128):
        names = (f"latency_{batch}_{quartile}_ms" for quartile in ("low", "median", "high"))
        low, median, high = (frame[name] for name in names)
        assert (low > 0).all()
        assert (low <= median).all()
        assert (median <= high).all()
    # Four times the layers take longer, also where other work slows some of the passes down.
    quickest = frame.groupby("depth")["latency_1_low_ms"].min()
    assert quickest[47] > quickest[11]


def test_the_table_says_what_it_is_and_names_no_path(made: Path) -> None:
    text = (made / "table" / "about.json").read_text(encoding="utf-8")
    about = json.loads(text)
    assert about["plan"]["training"]["lr"] == 0.1
    assert (about["networks"], about["trials"], about["epochs"]) == (4, 8, 16)
    assert about["starts"][0]["versions"]["torch"]
    assert about["latency"]["note"] == "the machine had other work"
    assert about["latency"]["load_before"] >= 0
    assert about["processor_kind"] == processor_kind()
    assert str(made) not in text


def test_a_replay_of_the_table_is_a_replay_of_the_run(made: Path, tmp_path: Path) -> None:
    journals = []
    for place in (made / "run", made / "table", made / "table" / "table.csv.gz"):
        out = tmp_path / str(len(journals))
        replayed = f"--set=execution={{replay: {place}, workers: 3}}"
        seeds = "--set=search.seeds=2"
        assert run_main([str(made / "space.yaml"), replayed, seeds, f"--out={out}"]) == 0
        journals.append((out / FILE).read_bytes())
        assert not run_source("a replay", out).processor, "trained here, or wherever it was"
    assert journals[0] == journals[1] == journals[2]


def test_another_recipe_than_the_table_s_is_refused(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replayed = f"--set=execution={{replay: {made / 'table'}}}"
    space, other = str(made / "space.yaml"), "--set=training.weight_decay=0.1"
    assert run_main([space, replayed, other, f"--out={tmp_path / 'run'}"]) == 2
    assert "training.weight_decay: is 0.1, but the results of" in capsys.readouterr().err


def test_trained_again_it_is_the_same_to_the_bit(
    made: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(again, "_SILENCE", 0.0)
    assert main(["--check", "40%", str(made / "table")]) == 0
    shown = capsys.readouterr().out
    assert "3 of 3 are the same to the bit" in shown
    assert shown.count(": 2 of 2 epochs") == 3


def test_a_number_that_was_changed_is_found(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = gzip.decompress((made / "table" / "table.csv.gz").read_bytes()).decode()
    rows = list(csv.reader(text.splitlines()))
    at = rows[0].index("train_loss")
    network = rows[0].index("network")  # that of the first row, with both of its seeds
    rows = [rows[0], *(row for row in rows[1:] if row[network] == rows[1][network])]
    rows[1][at] = repr(math.nextafter(float(rows[1][at]), 9))  # its last bit
    with (tmp_path / "table.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    (tmp_path / "about.json").write_bytes((made / "table" / "about.json").read_bytes())
    assert main(["--check", "100%", str(tmp_path / "table.csv")]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "repeat 0: 1 numbers differ, most train_loss of epoch 1, by" in printed
    assert "1 of 2 are the same" in printed


def test_the_layout_of_syne_tune_s_blackboxes(made: Path) -> None:
    """Read as its `deserialize` of tabular blackboxes does (0.16): files, shapes and names."""
    folder = made / "table" / "blackbox"
    networks = pd.read_parquet(folder / "hyperparameters.parquet")
    space, fidelity, about = (
        json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("configspace", "fidelityspace", "metadata")
    )
    told = np.load(folder / "objectives_evaluations.npy", allow_pickle=False)
    epochs = np.load(folder / "fidelities_values.npy", allow_pickle=False)
    names = about["objectives_names"]
    assert about["task_names"] == ["digits"]
    assert told.shape == (1, len(networks), 2, len(epochs), len(names))
    assert told.dtype == np.float32
    assert epochs.tolist() == [1, 2]
    assert [*space] == [*networks.columns] == ["hp_depth", "hp_scale"]
    assert not networks.duplicated().any()
    for name, domain in space.items():
        values = domain["domain_kwargs"]["categories"]
        assert domain["domain_cls"] == "OrdinalNearestNeighbor"
        assert values == sorted({*networks[name].tolist()})
    assert [one["domain_kwargs"]["upper"] for one in fidelity.values()] == [2]
    source = source_of(str(made / "run"))
    for row, (one, cells) in enumerate(source.cells.items()):
        chosen = networks.iloc[row]
        assert (chosen["hp_depth"], chosen["hp_scale"]) == (one.depth, one.scale)
        for repeat, cell in enumerate(cells):
            there = dict(zip(names, told[0, row, repeat, 1].tolist(), strict=True))
            assert there["metric_val_error"] == np.float32(cell.epochs[1].metrics["val_error"])
            elapsed = sum(epoch.seconds for epoch in cell.epochs)
            assert there["metric_elapsed_time"] == pytest.approx(elapsed)
    assert {"metric_macs", "metric_params", "metric_latency"} < {*names}
    assert np.isfinite(told).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --out FOLDER to write a table, or --check 5%"),
        (["--out=x"], "give the folder of a finished run"),
        (["nowhere", "--out=x"], "nowhere: contains no run"),
        (["--check=0%"], "--check: '0%' is not a share; write one such as 5%"),
        (["--check=half"], "--check: 'half' is not a share"),
        (["--check=200%"], "--check: '200%' is not a share"),
        (["nowhere", "--check=5%"], "nowhere: is not there"),
        (["nowhere", "--out=x", "--seed=0"], "--seed: needs --check; leave it out"),
        (["--check=5%", "--note=x"], "--note: needs --out; leave it out"),
        (["--check=5%", "--no-latency"], "--no-latency: needs --out; leave it out"),
    ],
)
def test_bad_input_is_refused(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["", "--check=5%"], "is empty; give a path"),
        (["--check=5%", "--seed=-1"], "'-1' is not a whole number from 0 up"),
    ],
)
def test_arguments_without_a_value_are_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert message in capsys.readouterr().err


def test_the_table_of_another_run_is_not_written_over(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal, command = (made / "run" / FILE).read_bytes(), [str(made / "run"), "--no-latency"]
    there = tmp_path / f"{FILE}.gz"
    for before, message in (
        (gzip.compress(b"another" + journal), "contains the table of another run"),
        (b"no gzip", "cannot be read"),
    ):
        there.write_bytes(before)
        assert main([*command, f"--out={tmp_path}"]) == 2
        assert message in capsys.readouterr().err
        assert there.read_bytes() == before
    there.write_bytes(gzip.compress(journal[: len(journal) // 2]))  # it has gone on since
    assert main([*command, f"--out={tmp_path}"]) == 0


def test_a_run_without_a_single_epoch_is_no_table(tmp_path: Path) -> None:
    rows = [{"network": network(1), "status": Status.DIVERGED, "curve": []}]
    made_run(tmp_path, rows, "search.trials=1")
    with pytest.raises(ConfigError, match="none of its trials has an epoch"):
        finished_run(tmp_path)


def test_a_run_that_has_not_ended_is_no_table(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    for name in (FILE, "manifest.json"):
        (tmp_path / "run" / name).write_bytes((made / "run" / name).read_bytes())
    lines = (tmp_path / "run" / FILE).read_bytes().splitlines(keepends=True)
    (tmp_path / "run" / FILE).write_bytes(b"".join(lines[:-1]))
    assert main([str(tmp_path / "run"), f"--out={tmp_path / 'table'}", "--no-latency"]) == 2
    assert "has 7 whole trials of 8" in capsys.readouterr().err


def test_sizes_by_stage_are_columns_of_the_blackbox(tmp_path: Path) -> None:
    text = TINY.replace("scale: [1, 2, 3]", "scale: {per_stage: [1, 2]}")
    text = text.replace("depth: [11, 20]", "depth: 11").replace("random, trials: 3", "grid")
    plan, survey = resolved_of(tmp_path, text)
    results = write_table(tmp_path / "results.csv", rows_of(plan, survey, repeats=1))
    folder, out = tmp_path / "run", tmp_path / "table"
    replayed = f"--set=execution={{replay: {results}}}"
    assert run_main([str(write(tmp_path, text)), replayed, f"--out={folder}"]) == 0
    networks = [survey.architecture(candidate) for candidate in range(len(survey))]
    assert main([str(folder), f"--out={out}", "--no-latency"]) == 0
    frame = pd.read_parquet(out / "blackbox" / "hyperparameters.parquet")
    stages = [f"hp_scale of stage {stage}" for stage in (1, 2, 3)]
    assert {*frame} == {"hp_cardinality", "hp_width", *stages}
    told = set(frame[[*stages, "hp_width"]].itertuples(index=False, name=None))
    scales = {n: n.scale if isinstance(n.scale, tuple) else (n.scale,) * 3 for n in networks}
    assert told == {(*scales[network], network.width) for network in networks}
    assert len(told) > 8
    space = json.loads((out / "blackbox" / "configspace.json").read_text(encoding="utf-8"))
    assert space[stages[0]]["domain_kwargs"]["categories"] == [1, 2]
