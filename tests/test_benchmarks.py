"""A benchmark that compares two different networks would be worth nothing."""

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks import crews, harness, joining, loops, packing, scale, train
from res2net import Architecture, build
from search.schema.data import Data, planned_data
from search.schema.training import PlannedTraining
from tests.search.spaces import plan_of

pytest.importorskip("timm")
pytest.importorskip("fvcore")
block = pytest.importorskip("benchmarks.block")
counting = pytest.importorskip("benchmarks.counting")

pytestmark = pytest.mark.usefixtures("one_thread")


def test_both_sides_are_one_network_with_one_set_of_weights() -> None:
    small = Architecture(
        depth=(1, 2, 1), planes=8, width=4, scale=3, cardinality=2, first_block="pool"
    )
    case = block.Case("small", lambda: build(small), lambda: block.stacked(small), 16, 4)
    asked = argparse.Namespace(quick=False, compiled=False, steps=2)
    rows = list(block.compare(case, asked, torch.device("cpu")))
    assert [(row.how, row.what) for row in rows] == [
        (f"{dtype} {layout} eager", what)
        for dtype in ("fp32", "bf16")
        for layout in ("contiguous", "channels_last")
        for what in ("forward", "forward+backward")
    ]
    assert all(row.difference < 1e-6 and len(row.ratios) == 2 for row in rows)


def tiny_task(**changes: object) -> loops.Task:
    fields = {"epochs": 3, "batch_size": 64, "precision": "fp32", "crop": 1, "flip": True}
    return loops.Task(
        architecture=Architecture(
            depth=(1, 1, 1), planes=4, width=2, scale=3, classes=4, first_block="pool"
        ),
        recipe=PlannedTraining.model_validate({"crop": 0, "flip": False} | fields | changes),
        data=planned_data(Data(name="synthetic", validation=50, train=192)),
        root=Path(),
        device="cpu",
    )


def seen_by(network: nn.Module, epoch: Callable[[], loops.Work]) -> tuple[int, int, loops.Work]:
    """Images that a network was shown to train on and to judge, and the epoch's own words."""
    seen = {True: 0, False: 0}

    def count(module: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        seen[module.training] += len(given[0])

    handle = network.register_forward_pre_hook(count)
    work = epoch()
    handle.remove()
    return seen[True], seen[False], work


def test_every_loop_takes_the_same_steps_and_learns() -> None:
    """Plain, ours and timm's blocks: what they say they did is what the network saw."""
    task = tiny_task()
    plain = loops.PlainLoop(task)
    ours, theirs = (
        crews.make_loop(crews.Side(kind, kind, task, threads=1)) for kind in ("ours", "timm")
    )
    works: dict[str, list[loops.Work]] = {}
    for name, loop, network in (
        ("plain", plain, plain.network),
        ("ours", ours, ours.trainer._network),
        ("timm", theirs, theirs.trainer._network),
    ):
        for _ in range(task.recipe.epochs):
            trained, judged, work = seen_by(network, loop.epoch)
            assert (trained, judged) == (work.trained, work.validated) == (192, 50)
            works.setdefault(name, []).append(work)
    assert [len(work.rates) for work in works["plain"]] == [3, 3, 3]
    train.check(works)
    # Between these two only the blocks differ: their batches are drawn alike.
    assert works["ours"][0].loss == pytest.approx(works["timm"][0].loss, rel=1e-4)


def test_work_that_differs_is_said() -> None:
    work = loops.Work((0.1, 0.05), 128, 50, 2.0, 50.0, 1.0)
    good = [work, work._replace(loss=1.0)]
    train.check({"plain": good, "ours": good})
    for change, message in (
        ({"rates": (0.1,)}, "ours: other steps or rates than plain"),
        ({"rates": (0.1, 0.06)}, "ours: other steps or rates than plain"),
        ({"trained": 64}, "ours: trained other images than plain"),
        ({"validated": 64}, "ours: validated other images than plain"),
        ({"loss": 3.0}, "ours: its loss went from 2.000 to 3.000"),
    ):
        with pytest.raises(train.DifferentWorkError, match=message):
            train.check({"plain": good, "ours": [work, good[1]._replace(**change)]})


@pytest.mark.slow
def test_sides_in_processes_make_whole_rows() -> None:
    """One of two trials side by side, as a study runs them, beside the plain loop."""
    task = tiny_task()
    sides = [
        crews.Side("plain", "plain", task, threads=1),
        crews.Side("two of ours", "ours", task, threads=1, beside=2),
    ]
    rows = train.compare(sides, turns=2)
    assert [row.side for row in rows] == ["plain", "two of ours"]
    assert rows[0].ratios == (1.0, 1.0)
    assert all(len(row.seconds) == len(row.rates) == len(row.ratios) == 2 for row in rows)
    assert rows[1].rates[0] == pytest.approx(2 * 192 / rows[1].seconds[0])
    assert all(row.memory > 10**8 for row in rows), "a process with torch"
    assert train.table(rows, turns=2).row_count == 2


def test_the_plain_loop_reads_cifar_as_torchvision_does(real_images: Path) -> None:
    """Of the default tasks all sides are there; of one without splits, timm's are not."""
    arguments = train._parser().parse_args(["--data", str(real_images), "--device", "cpu"])
    first, second = train.tasks(arguments)
    assert [len(train.sides(task, threads=2)) for task in (first, second)] == [7, 5]
    loop = loops.PlainLoop(second)
    assert len(loop.train.dataset) == first.data.train == 896
    images, labels = next(iter(loop.held_out))
    assert images.shape == (99, 3, 32, 32)
    assert labels.max() > 90


@pytest.mark.slow
def test_every_way_of_counting_agrees(tmp_path: Path) -> None:
    small = counting.Subject(Architecture(depth=(1, 1, 1), planes=8, width=2, scale=3), 16)
    rows = counting.compare("small", [small], turns=2)
    assert [row.way for row in rows] == [way.name for way in counting.ways()]
    grid = counting.compare_grid(plan_of(tmp_path), turns=2)
    assert [row.way for row in grid] == [
        "search.space.survey",
        *(row.way for row in rows),
    ]
    assert grid[0].network == "5 of 36"
    for each in (rows, grid):
        assert len({row.macs for row in each}) == 1
        assert each[0].ratios == (1.0, 1.0)
        assert all(len(row.seconds) == 2 for row in each)
    assert counting.table([*rows, *grid], turns=2).row_count == len(rows) + len(grid)


@pytest.mark.slow
def test_trials_side_by_side_make_whole_rows() -> None:
    config = packing.plan_of("synthetic", batch=16, gpu=False, precision="fp32")
    small = Architecture(depth=(1, 1, 1), planes=4, width=2, scale=2, classes=4)
    first, *_, last = packing.ways(gpu=False)
    rows = packing.compare(config, [small], [first, last], turns=1)
    assert [row.way for row in rows] == [(1, 2), (2, 1)]
    assert rows[0].ratios == (1.0,)
    assert all(len(row.rates) == len(row.ratios) == 1 for row in rows)
    assert all(row.memory > 10**8 for row in rows), "a process with torch"
    twice = [row._replace(rates=row.rates * 2, ratios=row.ratios * 2) for row in rows]
    assert packing.table(twice, turns=2, batch=16).row_count == 2


def test_joined_and_separate_layers_are_timed_in_turns() -> None:
    row = joining.compare(
        "res2net1.1.1_3w4s_4p", 8, 2, "fp32", steps=3, device=torch.device("cpu")
    )
    assert len(row.ratios) == 3
    assert all(ratio > 0 for ratio in row.ratios)
    assert joining.table([row]).row_count == 1


def test_the_harness_counts_every_trial_of_a_side_in_a_process_of_its_own() -> None:
    runs = harness.compare(["Optuna alone"], trials=20, turns=2)
    assert [run.rate > 1 for run in runs["Optuna alone"]] == [True, True]
    assert all(0 < run.first < 60 and run.full is None for run in runs["Optuna alone"])
    assert harness.table(20, runs).row_count == 1


@pytest.mark.slow
def test_every_side_of_the_harness_runs() -> None:
    runs = harness.compare(harness.SIDES, trials=6, turns=1)
    assert set(runs) == set(harness.SIDES)
    assert runs["ours on Ray"][0].full is not None, "its workers said when they were there"


@pytest.mark.slow
def test_what_a_study_takes_is_measured_at_its_size() -> None:
    few, more = scale.measured(5, 1), scale.measured(10, 1)
    assert more["journal, MiB"] == pytest.approx(2 * few["journal, MiB"], rel=0.3)
    assert all(value > 0 for value in more.values())
    grown = scale.table([5, 10], {what: [few[what], more[what]] for what in few}, far=1000)
    assert grown.row_count == len(few)
