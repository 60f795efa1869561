"""What is measured of a network before its training: as objective, and as budget."""

import itertools
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from rich.table import Table

from analysis.pages.run_figures import drawings
from analysis.runs.networks import by_network
from analysis.runs.run import read_run
from analysis.statistics.hypervolume import growing
from res2net import build
from search import run_study
from search.closing import measured_table, print_whole
from search.result import StudyResult
from search.schema.yaml import ConfigError
from search.study.events import Epoch, Measured, Status
from search.study.history import History
from search.study.journal import read

# Layers that run one after another: four times as many take at least twice as long.
SHORT, LONG = "resnet11_2w_4p_10classes", "resnet47_2w_4p_10classes"
DEEPEST = "resnet110_2w_4p_10classes"
SPACE: dict[str, Any] = {
    "study": "measured",
    "network": {"skeleton": "cifar", "planes": 4, "depth": [11, 20, 47], "width": 2},
    "data": {"name": "digits", "validation": 100, "train": 100},
    "training": {"epochs": 1, "batch_size": 50, "precision": "fp32", "lr": 0.1},
    "search": {"sampler": "grid", "objectives": ["val_error", "latency"]},
}


def with_(**changes: Any) -> dict[str, Any]:
    return SPACE | changes


def run(
    space: dict[str, Any], folder: Path, *, inline: bool = True, **more: Any
) -> StudyResult:
    return run_study(space, out=folder / "run", inline=inline, **more)


def measured_in(folder: Path) -> list[Measured]:
    return [one for one in read(folder / "run") if isinstance(one, Measured)]


@pytest.fixture(scope="module", autouse=True)
def _briefly() -> Iterator[None]:
    """Each network is timed for a quarter of the time: still tens of passes."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("search.engine.latency._SECONDS", 0.1)
        yield


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyResult, Path]:
    folder = tmp_path_factory.mktemp("measured")
    wider = SPACE["network"] | {"scale": [1, 2], "depth": [11, 47]}
    return run(with_(network=wider), folder), folder


def test_front_and_hypervolume_agree_with_brute_force(done: tuple[StudyResult, Path]) -> None:
    result, folder = done
    points = [
        (one.metrics["val_error"], one.measured.values["latency"])
        for one in result.trials
        if one.measured
    ]
    assert len(points) == 4

    def beaten(point: tuple[float, float]) -> bool:
        return any(
            all(a <= b for a, b in zip(other, point, strict=True)) and other != point
            for other in points
        )

    front = {one.name for one, p in zip(result.trials, points, strict=True) if not beaten(p)}
    found = by_network(read_run(folder / "run"))
    assert set(found.loc[found["on_front"], "name"]) == front

    most = [max(column) for column in zip(*points, strict=True)]
    scaled = [tuple(v / (1.25 * m) for v, m in zip(p, most, strict=True)) for p in points]
    # Cells of the grid that all the points' own coordinates make.
    xs, ys = (sorted({1.0, *column}) for column in zip(*scaled, strict=True))
    area = sum(
        (x1 - x0) * (y1 - y0)
        for x0, x1 in itertools.pairwise(xs)
        for y0, y1 in itertools.pairwise(ys)
        if any(x <= x0 and y <= y0 for x, y in scaled)
    )
    assert area > 0
    assert growing(scaled)[-1] == pytest.approx(area)


def test_the_spread_is_noted_and_shown(
    done: tuple[StudyResult, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    result, folder = done
    for one in measured_in(folder):
        assert one.low["latency"] <= one.values["latency"] <= one.high["latency"]
        assert 5 <= one.passes["latency"] <= 100
        assert one.place["threads"] == 1
        assert one.place["resolution"] == 8
        assert one.place["device"].startswith("cpu")
    table = read_run(folder / "run").trials
    ordered = table["latency_ms_low"] <= table["latency_ms"]
    assert ordered.all()
    assert (table["latency_ms"] <= table["latency_ms_high"]).all()
    assert table["measured_beside_cores"].notna().all() == table["measured_alone"].notna().all()
    history = History(result.plan.ranking, result.plan.objectives)
    for record in read(folder / "run"):
        history.note(record)
    shown = measured_table(history, result.plan.measured)
    assert shown is not None
    print_whole(Console(), shown)
    assert result.best is not None
    best = result.best.measured
    assert best is not None
    assert (
        f"({best.low['latency']:.4g} to {best.high['latency']:.4g})" in capsys.readouterr().out
    )


def test_the_report_shows_it_and_says_what_other_work_made_slower(
    done: tuple[StudyResult, Path],
) -> None:
    run = read_run(done[1] / "run")
    count = run.trials["name"].nunique()
    busy = run.trials["name"] == run.trials["name"].iloc[0]
    for beside in (busy, ~busy & busy):
        shown = drawings(replace(run, trials=run.trials.assign(measured_alone=~beside)))[0]
        words = f"Latency of 1 of {count} networks was measured while other work ran"
        assert (words in shown.caption) == beside.any()
        assert "latency (ms)" in [column.title for column in shown.columns]
        latencies = run.trials.groupby("name")["latency_ms"].first()
        assert shown.table.set_index("name")["latency_ms"].to_dict() == latencies.to_dict()


def test_tables_are_as_wide_as_they_must_be(capsys: pytest.CaptureFixture[str]) -> None:
    """Names that say many settings cut no score that stands beside them."""
    table = Table("network", *(f"score {n}" for n in range(12)))
    cells = [f"{n}.25 (+- 0.125)" for n in range(12)]
    table.add_row(
        "res2next20_4c4w4s_8p_10classes_lr0.0336_wd0.0005_momentum0.9_30epochs", *cells
    )
    print_whole(Console(width=80), table)
    (row,) = [line for line in capsys.readouterr().out.splitlines() if "lr0.0336" in line]
    assert all(cell in row for cell in cells)


def test_deeper_networks_take_longer_and_a_plain_loop_agrees(
    done: tuple[StudyResult, Path],
) -> None:
    """Within a factor of three: other work on the machine slows either down."""
    found = {one.name: one for one in done[0].trials}
    short, long = found[SHORT], found[LONG]
    assert short.measured is not None
    assert long.measured is not None
    assert long.measured.low["latency"] > 1.5 * short.measured.low["latency"]
    torch.set_num_threads(1)
    described = long.started.network()
    network, image = build(described).eval(), torch.zeros(1, described.channels, 8, 8)
    times = []
    with torch.inference_mode():
        for _ in range(200):
            begin = time.perf_counter()
            network(image)
            times.append(time.perf_counter() - begin)
    # What other work slowed down least: of five rounds the quickest, and the low quartile.
    mine = 1000 * min(sorted(times[i : i + 40])[20] for i in range(0, 200, 40))
    assert mine / 3 < long.measured.values["latency"]
    assert long.measured.low["latency"] < 3 * mine


def limit_between(done: tuple[StudyResult, Path]) -> str:
    """Three times what the short network took: the deepest takes nine times as long."""
    values = next(one.measured.values for one in done[0].trials if one.measured)
    return f"{3 * values['latency']:.3f}ms"


DEEP = SPACE["network"] | {"depth": [11, 110]}
SEEDS = {"sampler": "grid", "seeds": 2}


@pytest.mark.parametrize("inline", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_budget_refuses_before_the_training(
    done: tuple[StudyResult, Path], tmp_path: Path, inline: bool
) -> None:
    """The deep network has no epoch, no other seed and no exit code of a failure."""
    budget = {"latency": {"max": limit_between(done)}}
    space = with_(network=DEEP, budget=budget, search=SEEDS)
    result = run(space, tmp_path, inline=inline)
    assert result.finished
    ended = [(one.name, one.ended.status) for one in result.trials if one.ended]
    assert sorted(ended) == sorted(
        [(SHORT, Status.OK), (SHORT, Status.OK), (DEEPEST, Status.REJECTED)]
    )
    refused = next(one for one in result.trials if one.name == DEEPEST)
    assert refused.ended is not None
    assert "latency" in refused.ended.reason
    assert "above the budget's" in refused.ended.reason
    reported = {one.trial for one in read(tmp_path / "run") if isinstance(one, Epoch)}
    assert refused.started.trial not in reported
    assert result.exit_code == 0
    shown = read_run(tmp_path / "run")
    assert shown.finished
    assert "1 network was measured outside" in shown.banner()
    assert run(space, tmp_path, inline=inline).trials == result.trials, "nothing runs again"


class CrashError(Exception):
    """What ends a study between two events."""


def test_what_goes_on_is_not_measured_again(tmp_path: Path) -> None:
    """Neither a trial that was interrupted, nor another seed of its network."""
    training = SPACE["training"] | {"epochs": 2}
    network = SPACE["network"] | {"depth": [11, 20]}
    space = with_(training=training, network=network)

    def crash(event: object) -> None:
        if isinstance(event, Epoch):
            raise CrashError

    with pytest.raises(CrashError):
        run(space, tmp_path, on_event=crash)
    (first,) = measured_in(tmp_path)
    run(space, tmp_path, overrides=["search.seeds=2"])
    measured = measured_in(tmp_path)
    assert measured[0] == first
    assert sorted(one.trial for one in measured) == [0, 1, 2, 3], "each once"
    assert {one.first for one in measured} == {0, 1}
    again = [one for one in measured if one.first == 0 and one.trial]
    assert [(one.values, one.time) for one in again] == [(first.values, first.time)]


def test_training_is_the_same_to_the_bit_with_and_without(
    done: tuple[StudyResult, Path], tmp_path: Path
) -> None:
    plain = with_(search={"sampler": "grid"}, network=SPACE["network"] | {"depth": 11})
    (alone,) = run(plain, tmp_path).trials
    assert not measured_in(tmp_path), "nobody asked for it"
    assert alone.measured is None
    (beside,) = (one for one in done[0].trials if one.name == SHORT)
    assert alone.metrics == beside.metrics


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"budget": {"latency": {"max": "5"}}, "resources": {"gpu": 1}}, "this machine has 0"),
        ({"budget": {"latency": {"max": "soon"}}}, "write one such as 5ms, 800us or 0.5s"),
        ({"budget": {"latency": {"max": 0}}}, "write one such as 5ms, 800us or 0.5s"),
        ({"budget": {"throughput": {"min": -1}}}, "write one such as 2000 or 2K"),
        ({"budget": {"inference_memory": {"max": "3X"}}}, "write one such as 500MB or 2GB"),
        ({"budget": {"inference_energy": {"max": "5mJ"}}}, "write resources: {gpu: 1}"),
        ({"search": {"sampler": "grid", "objectives": ["val_error", "speed"]}}, "latency_128"),
        ({"search": {"sampler": "grid", "objectives": ["latency"]}}, "one that trials report"),
        ({"execution": "replay"}, "a replay builds none"),
    ],
)
def test_what_cannot_be_measured_is_said_before_anything_runs(
    changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=said):
        run(with_(**changes), tmp_path)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_other_work_on_the_machine_is_marked(tmp_path: Path) -> None:
    """Processes that keep every core busy."""
    command = [sys.executable, "-c", "while True: pass"]
    busy = [subprocess.Popen(command) for _ in range(2)]
    try:
        run(with_(network=SPACE["network"] | {"depth": 11}), tmp_path)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    (measured,) = measured_in(tmp_path)
    if measured.others is None:
        pytest.skip("this system does not count the work of its CPUs")
    assert measured.alone is False
    assert measured.others > 0.5
