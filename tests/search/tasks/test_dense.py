"""What the tasks of pixels and points have in common: exact resume, and clear refusals."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from analysis.cards.pictured import pictured_card
from analysis.questions.pictured import pictured
from analysis.runs.run import read_run
from res2net import build
from res2net.plugins import PluginError
from res2net.weights import PartsLeftOut
from search import run_study
from search.engine.bench import make_bench
from search.engine.training import Trainer
from search.scenes.random_scenes import random_scenes
from search.schema import task_checks
from search.schema.study_plan import StudyPlan
from search.schema.yaml import ConfigError
from search.study.loading import loading_line
from search.tasks.base import checked_scores
from search.tasks.libraries import LibraryMissingError, library
from search.tasks.scenes import load_scenes
from tests.search.spaces import write
from tests.search.tasks.dense import HERE, plan_of, resolved, space_of, trainer_of

pytestmark = pytest.mark.usefixtures("one_thread")
EVERYTHING = (  # that holds a state of its own, or rounds
    "training.precision=bf16",
    "training.ema=0.9",
    "training.accumulate=2",
    "training.clip=1",
    "training.flip=true",
)


@pytest.mark.parametrize(
    "task",
    [
        "segmentation",
        pytest.param("saliency", marks=pytest.mark.slow),
        pytest.param("keypoints", marks=pytest.mark.slow),  # test_killed.py kills one
    ],
)
def test_stopped_at_a_step_it_goes_on_bit_for_bit(tmp_path: Path, task: str) -> None:
    whole = trainer_of(tmp_path, task, *EVERYTHING)
    expected = [epoch.metrics for _ in range(2) if (epoch := whole.epoch(trial=0))]
    assert len(expected) == 2
    stopped, resumed = (trainer_of(tmp_path, task, *EVERYTHING) for _ in range(2))
    torch.manual_seed(7)  # whatever was drawn before
    assert stopped.epoch(trial=0, seconds=0) is None, "in the middle of the first epoch"
    torch.manual_seed(8)
    resumed.load_state(copy.deepcopy(stopped.state()))
    seen = [epoch.metrics for _ in range(2) if (epoch := resumed.epoch(trial=0))]
    assert seen == expected
    ours, theirs = whole.state()["network"], resumed.state()["network"]
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert whole.scores("test") == resumed.scores("test")


@pytest.mark.parametrize("task", HERE)
def test_the_loss_falls(tmp_path: Path, task: str) -> None:
    trainer = trainer_of(tmp_path, task, "training.epochs=6")
    losses = [
        epoch.metrics["train_loss"] for _ in range(6) if (epoch := trainer.epoch(trial=0))
    ]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("task", HERE)
def test_a_study_ends_with_weights_that_can_be_loaded(tmp_path: Path, task: str) -> None:
    text = space_of(task).replace("epochs: 2", "epochs: 1")
    result = run_study(write(tmp_path, text), out=tmp_path / "run", inline=True)
    assert [trial.ended.status for trial in result.trials if trial.ended] == ["ok"]
    line = loading_line(result.weights[0], plan=result.plan)
    with pytest.warns(PartsLeftOut, match="decoder|head"):  # what the task put on it
        backbone = eval(line.removeprefix("res2net."), {"build": build})
    features = backbone.eval()(torch.zeros(1, 3, 32, 32))
    assert list(features) == ["layer1", "layer2", "layer3", "layer4"]
    assert features["layer4"].shape[-1] == (2 if task == "segmentation" else 1)
    pictured_as_it_is(tmp_path / "run", result.plan, task)


def pictured_as_it_is(folder: Path, plan: StudyPlan, task: str) -> None:
    """The first scenes of the test images, with what the network says of each in its kind."""
    kind = {"segmentation": "semantic"}.get(task, task)
    (seen,) = pictured(read_run(folder))
    test = load_scenes(plan, "").test
    for row, one in enumerate(seen.scenes):
        assert np.array_equal(one.truth.image, test[row].image)
        true, said = getattr(one.truth, kind), getattr(one.predicted, kind)
        assert np.array_equal(true, getattr(test[row], kind))
        assert said.shape == true.shape
    card = pictured_card(read_run(folder))
    draw = card.shown[0].draw
    assert draw is not None
    assert len(draw().axes) == 3 * len(seen.scenes)
    assert len(seen.scenes) == 4


REFUSED = [
    ("segmentation", ("training.mixup=0.2",), "training.mixup: 0.2 is not supported by segm"),
    (
        "keypoints",
        ("training.label_smoothing=0.1",),
        "label_smoothing: 0.1 is not supported",
    ),
    (
        "saliency",
        ("data.channels=1",),
        "data.channels: 1 is 1, but saliency needs colour images",
    ),
    (
        "segmentation",
        ("training.batch_size=7", "training.accumulate=3"),
        "write a lower number",
    ),
    ("segmentation", ("training.batch_size=1",), "write 2 or more"),
    ("segmentation", ("network.skeleton=cifar", "network.depth=[20]"), "which cifar cannot"),
    (
        "segmentation",
        ("network.resolution=[90]",),
        "not a multiple of the output stride",
    ),
    ("segmentation", ("task.scales=[2, 1]",), "scales is in descending order; swap the two"),
    ("segmentation", ("task.output_stride=4",), "write 8 or 16"),
    ("keypoints", ("data={name: digits, validation: 10}",), "has no boxes and no keypoints"),
]


@pytest.mark.parametrize(("task", "overrides", "said"), REFUSED, ids=[r[2] for r in REFUSED])
def test_what_cannot_be_is_refused_before_anything_runs(
    tmp_path: Path, task: str, overrides: tuple[str, ...], said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        plan_of(tmp_path, task, *overrides)
    assert said in str(caught.value)


def test_a_missing_library_is_said_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(task_checks.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(PluginError, match=r"saliency needs py_sod_metrics, .*--no-deps pysod"):
        task_checks.check_libraries("saliency")
    with pytest.raises(LibraryMissingError, match=r"no_such is not .*\.\[tasks\]'"):
        library("no_such")


def test_a_score_that_images_do_not_tell_is_left_out_unless_networks_are_compared_by_it() -> (
    None
):
    scores = {"ap": 3.0, "ap_small": None}
    assert checked_scores(scores, ["ap", "ap_small"], ["ap"]) == {"ap": 3.0}
    with pytest.raises(PluginError, match="ap_small is None, but networks are compared by it"):
        checked_scores(scores, ["ap", "ap_small"], ["ap_small"])


@pytest.mark.parametrize("task", HERE)
def test_a_network_is_timed_on_noise_without_the_images_of_the_study(
    tmp_path: Path, task: str
) -> None:
    plan, survey = resolved(tmp_path, task)
    noise = random_scenes(plan.data, train=8, held_out=4)
    bench = make_bench(plan, Path("nowhere"), images=noise)
    trainer = Trainer(survey.architecture(0), bench, epochs=2, seed=0)
    assert trainer.epoch(trial=0, seconds=0) is None
    assert trainer.scores("test")


def test_a_picture_that_cannot_be_kept_costs_no_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("search.scenes.pictured.save", full)
    text = space_of("keypoints").replace("epochs: 2", "epochs: 1")
    result = run_study(write(tmp_path, text), out=tmp_path / "run", inline=True)
    (end,) = [trial.ended for trial in result.trials if trial.ended]
    assert end.status == "ok"
    assert end.reason == "no pictures were kept: OSError: no space left"
    assert [path.suffix for path in result.weights] == [".safetensors"]
