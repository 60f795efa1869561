"""A plan in hours: rehearsed in real processes, compared with what the study then takes."""

import math
import multiprocessing
import os
import re
import signal
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from res2net import Architecture
from search.profiling.estimate import Estimate, RehearsalError
from search.profiling.measuring import _disk, measure, slots
from search.profiling.packing import fitting
from search.profiling.rehearsal import Rehearsals, timed_runs
from search.run import main
from search.samplers.ordered import Tried
from search.schema.study_plan import StudyPlan
from search.space.survey import survey
from tests.search.spaces import TINY, plan_of, resolved_of, write

GIGABYTE = 2**30
SPACES = Path(__file__).parents[3] / "spaces"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> StudyPlan:
    return plan_of(tmp_path_factory.mktemp("space"))


# Each process imports torch anew: one shows what is timed, and two rehearse as one does.
@pytest.fixture(scope="module", params=[1, pytest.param(2, marks=pytest.mark.slow)])
def estimate(config: StudyPlan, request: pytest.FixtureRequest) -> Estimate:
    found = measure(config, survey(config), beside=request.param)
    assert found.beside == request.param
    return found


def test_two_at_once_take_turns(
    config: StudyPlan, estimate: Estimate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the same times, two at once need two turns for three trials, and twice the disk."""
    timed = {one.candidate: one for one in estimate.timed}
    monkeypatch.setattr("search.profiling.measuring.Rehearsals", lambda *_, **__: nullcontext())
    monkeypatch.setattr(
        "search.profiling.measuring._timed", lambda plan, survey, candidate, _: timed[candidate]
    )
    two = measure(config, survey(config), beside=2)
    assert two.work == pytest.approx(estimate.work)
    assert two.wall == pytest.approx(two.work * 2 / 3)
    assert two.disk > estimate.disk * 2 / estimate.beside * 0.9


def test_three_candidates_are_timed_and_the_rest_lies_between(
    config: StudyPlan, estimate: Estimate
) -> None:
    surveyed = survey(config)
    macs = [surveyed.cost(one.candidate).macs for one in estimate.timed]
    assert macs == sorted(macs)
    assert (macs[0], macs[-1]) == (surveyed.costs.macs.min(), surveyed.costs.macs.max())
    seconds = [one.epoch for one in estimate.timed]
    assert min(seconds) <= estimate.epoch <= max(seconds)
    test = 64 * estimate.timed[1].rehearsal.image
    assert estimate.work == pytest.approx(3 * (3 * estimate.epoch + test)), "3 of 3 epochs"
    turns = math.ceil(3 / estimate.beside)
    assert estimate.wall == pytest.approx(turns * (3 * estimate.epoch + test)), "side by side"
    assert estimate.error >= 0
    assert all(one.rehearsal.memory > 10**8 for one in estimate.timed), "a process with torch"


def test_the_disk_holds_every_checkpoint_that_is_there_at_once(
    config: StudyPlan, estimate: Estimate
) -> None:
    """Weights and momentum of each trial, two old and new, in float32; then the journal."""
    largest = int(survey(config).costs.params.max())
    assert estimate.disk >= 3 * estimate.beside * 2 * 4 * largest


def disk_of(folder: Path, text: str = TINY, *asked: str, beside: int = 1) -> int:
    plan, surveyed = resolved_of(folder, text, *asked)
    return _disk(plan, surveyed, Tried(surveyed, plan.search), beside=beside)


def test_a_paused_trial_keeps_a_checkpoint(tmp_path: Path) -> None:
    """Each network may be one: a scheduler that pauses lets nearly all of them rest."""
    asked = "search.sampler=grid", "search.trials=all"
    one_epoch = "scheduler={name: one_epoch, keep: 1}"
    survey = resolved_of(tmp_path, TINY, *asked).survey
    more = disk_of(tmp_path, TINY, *asked, one_epoch) - disk_of(tmp_path, TINY, *asked)
    assert more == pytest.approx(2 * 4 * survey.costs.params.mean() * (len(survey) - 1), abs=1)


def test_checkpoints_hold_the_head_too(tmp_path: Path) -> None:
    text = (SPACES / "digits_detection.yaml").read_text(encoding="utf-8")
    costs = resolved_of(tmp_path, text).survey.costs
    assert costs.model_params.max() > 2 * costs.params.max()
    assert disk_of(tmp_path, text) > 3 * 2 * 4 * costs.model_params.max()


def test_of_every_network_weights_are_kept_until_its_last_seed(tmp_path: Path) -> None:
    """And those that are confirmed to the end; none where none is asked for."""
    asked = "search.sampler=grid", "search.trials=all", "search.seeds=3"
    confirm = "confirm={top: 2, seeds: 2, epochs: 3}"
    survey = resolved_of(tmp_path, TINY, *asked).survey
    none, best, both = (
        disk_of(tmp_path, TINY, *asked, f"keep.best={n}", *more)
        for n, more in ((0, ()), (2, ()), (2, (confirm,)))
    )
    mean, journal = 4 * survey.costs.params.mean(), 4 * (3 * 270 + 1550)
    assert best - none == pytest.approx((2 * len(survey) + 2) * mean, abs=1)
    assert both - best == pytest.approx(4 * mean + journal, abs=1)


def test_the_largest_network_that_is_tried_counts(tmp_path: Path) -> None:
    asked = "search.sampler=grid", "search.trials=2"
    survey = resolved_of(tmp_path, TINY, *asked).survey
    cheapest = np.argsort(survey.costs.macs)[:2]
    less = disk_of(tmp_path, TINY, *asked, beside=4) - disk_of(tmp_path, TINY, *asked)
    assert less == pytest.approx(3 * 3 * 2 * 4 * survey.costs.params[cheapest].max(), abs=1)


@pytest.mark.slow
def test_the_command_says_hours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(write(tmp_path)), "--plan", "--measure"]) == 0
    shown = capsys.readouterr().out
    assert re.search(
        r"the study: \d+ s with \d trials at once; .* CPU-hours; .* of disk", shown
    )
    assert re.search(r"\+- \d+%", shown)


def test_measuring_without_a_plan_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(write(tmp_path)), "--measure"]) == 2
    assert "--measure: needs --plan" in capsys.readouterr().err


@pytest.mark.slow
def test_a_network_that_cannot_be_trained_is_said(config: StudyPlan) -> None:
    wide = Architecture(depth=11, planes=2, width=10**7, classes=4)
    with Rehearsals(config, beside=1) as stage, pytest.raises(RehearsalError, match="memory"):
        stage.rehearse(wide)


def test_a_process_that_hangs_is_said_and_ended(
    config: StudyPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.profiling.rehearsal._PATIENCE", 1.0)
    silent = config.resources.model_copy(update={"silence": 0.5})
    small = Architecture(depth=11, planes=2, width=1, classes=4)
    plan = config.model_copy(update={"resources": silent})
    with Rehearsals(plan, beside=1) as stage:
        (hung,) = multiprocessing.active_children()
        assert hung.pid
        os.kill(hung.pid, signal.SIGSTOP)
        with pytest.raises(RehearsalError, match="did not answer within"):
            stage.rehearse(small)
    assert not hung.is_alive()


def test_slots_are_no_more_than_trials(tmp_path: Path) -> None:
    config = plan_of(tmp_path)
    one = config.search.model_copy(update={"trials": 1})
    assert slots(config.model_copy(update={"search": one})) == 1


def test_slots_are_no_more_than_trials_that_may_run_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.profiling.measuring.usable_cores", lambda: 8)
    many = "search.trials=9"
    assert slots(plan_of(tmp_path, TINY, many)) == 8
    in_order = "search.ordered=true", "search.concurrency=3"
    assert slots(plan_of(tmp_path, TINY, many, *in_order)) == 3


@pytest.mark.parametrize(
    ("memory", "total", "trials"),
    [(10 * GIGABYTE, 80 * GIGABYTE, 7), (1, GIGABYTE, 8), (90 * GIGABYTE, 80 * GIGABYTE, 1)],
)
def test_never_more_trials_share_a_gpu_than_fit(memory: int, total: int, trials: int) -> None:
    assert fitting(memory, total) == trials
    assert trials == 1 or trials * memory <= total


def test_auto_without_a_gpu_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch  # noqa: PLC0415 - this test alone

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    space, out = write(tmp_path), tmp_path / "run"
    for more in (["--plan", "--measure"], [], ["--address", "auto"]):
        asked = [str(space), "--out", str(out), "--set", "resources.gpu=auto", *more]
        assert main(asked) == 2
        assert "resources.gpu: auto measures on" in capsys.readouterr().err
    assert not out.exists()


def test_what_is_slow_is_timed_fewer_times_and_never_less_than_it_takes() -> None:
    def slow() -> None:
        time.sleep(0.02)

    assert len(timed_runs(slow, most=8, fewest=2, enough=0.0)) == 2
    assert len(timed_runs(slow, most=8, fewest=2, enough=0.05)) < 8
    seconds = timed_runs(slow, most=8, fewest=2, enough=60.0)
    assert len(seconds) == 8
    assert min(seconds) >= 0.02


@pytest.mark.slow
def test_noise_need_not_have_what_networks_are_compared_by(tmp_path: Path) -> None:
    """Of random objects of 96 px none is large."""
    text = (SPACES / "digits_detection.yaml").read_text(encoding="utf-8")
    plan = plan_of(tmp_path, text, "search.objectives=[val_ap_large]")
    found = measure(plan, survey(plan), beside=1)
    assert found.epoch > 0
