"""Memory: what a trial may take, and what it does when there is less."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from res2net import Architecture, build, parse
from search.study.events import Ended, Started, Status
from tests.search.engine.test_trial import bench_of, finish, numbers, start, trial_of

THREE_GB = 3 * 10**9
NETWORK = parse("res2next11_2c4w3s_8p_4classes")

CIFAR = """
import sys, torch
from pathlib import Path
from res2net import parse
from search.engine.bench import Bench
from search.engine.meter import peak_resident
from search.engine.training import Trainer
from search.images.splits import load
from search.schema.data import Data, planned_data
from search.schema.training import PlannedTraining
from search.tasks.classification import Classification

data = planned_data(Data(name="cifar100", validation=5000))
recipe = PlannedTraining(epochs=1, batch_size=128, crop=4, flip=True)
device = torch.device("cpu")
task = Classification(recipe, load(data, Path(sys.argv[1])), device=device)
bench = Bench(recipe, task, ("error", "error_top5"), device)
trainer = Trainer(parse("resnet1.1.1_4w_4p_100classes"), bench, epochs=1, seed=0)
for _ in range(3):
    trainer.epoch(trial=0, seconds=0)
trainer.scores("test")
print(peak_resident())
"""


class LittleMemory:
    """Builds networks that ask the allocator for petabytes when they see many images."""

    def __init__(self, images: int) -> None:
        self._images = images

    def __call__(self, architecture: Architecture, **rest: Any) -> nn.Module:
        network = build(architecture, **rest)
        network.register_forward_pre_hook(self._ask)
        return network

    def _ask(self, _network: nn.Module, inputs: tuple[Tensor]) -> None:
        if len(inputs[0]) > self._images:
            torch.empty(10**16)


def brief() -> Started:
    """A trial of two epochs, as every part of a step is in each."""
    return start(NETWORK, epochs=2)


def test_where_a_batch_does_not_fit_its_parts_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch of 32 in four parts: what the recipe gives when it is told so."""
    monkeypatch.setattr("search.tasks.classification.build", LittleMemory(8))
    epochs, ended = finish(trial_of(bench_of(), tmp_path, brief()))
    assert (ended.status, ended.epochs, parts_of(ended)) == (Status.OK, 2, 4)
    told, _ = finish(trial_of(bench_of(accumulate=4), tmp_path / "told", brief()))
    assert numbers(epochs) == numbers(told)


def test_where_memory_ends_in_the_middle_the_result_is_the_same_as_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not depend on what ran beside it, and so not on a checkpoint."""
    first = trial_of(bench_of(), tmp_path, brief())
    first.step()
    first.save()
    monkeypatch.setattr("search.tasks.classification.build", LittleMemory(16))
    _, ended = finish(trial_of(bench_of(), tmp_path, brief(), reported=1))
    _, told = finish(trial_of(bench_of(accumulate=2), tmp_path / "told", brief()))
    assert (ended.status, parts_of(ended)) == (Status.OK, 2)
    assert ended.metrics == told.metrics


def test_evaluation_that_does_not_fit_changes_no_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 images are validated at once, 32 are trained on."""
    epochs, _ = finish(trial_of(bench_of(), tmp_path, brief()))
    monkeypatch.setattr("search.tasks.classification.build", LittleMemory(32))
    again, ended = finish(trial_of(bench_of(), tmp_path / "again", brief()))
    assert numbers(again) == numbers(epochs)
    assert parts_of(ended) == 1


def parts_of(ended: Ended) -> int:
    assert ended.taken is not None
    return ended.taken.parts


@pytest.mark.slow
def test_one_image_on_one_place_is_a_want_of_memory_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A norm cannot train on a single value: what had to be cut so far does not fit."""
    monkeypatch.setattr("search.tasks.classification.build", LittleMemory(1))
    single = parse("resnet14_4w_4p_4classes")
    _, ended = finish(trial_of(bench_of(), tmp_path, start(single)))
    assert ended.status is Status.OUT_OF_MEMORY


@pytest.mark.slow
def test_where_not_even_one_image_fits_the_trial_is_out_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.tasks.classification.build", LittleMemory(0))
    epochs, ended = finish(trial_of(bench_of(), tmp_path, start(NETWORK)))
    assert epochs == []
    assert (ended.status, parts_of(ended)) == (Status.OUT_OF_MEMORY, 32)
    assert "can't allocate memory" in ended.reason


@pytest.mark.slow
def test_training_on_cifar100_stays_under_three_gigabytes(real_images: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CIFAR, str(real_images)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert int(done.stdout) < THREE_GB


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.filterwarnings("default")  # torch warns of itself there
def test_on_a_gpu_with_little_memory_parts_are_smaller(tmp_path: Path) -> None:
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(300 * 2**20 / total)
    try:
        wide = start(parse("resnet29_64w_64p_4classes"))
        bench = bench_of(device="cuda", batch_size=256)
        _, ended = finish(trial_of(bench, tmp_path, wide))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert ended.status is Status.OK
    assert parts_of(ended) > 1
