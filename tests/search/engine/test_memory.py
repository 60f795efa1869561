"""Memory: what a trial may take, and what it does when there is less."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from res2net import Architecture, build, parse
from search.records import Status
from tests.search.test_trial import bench_of, finish, numbers, start, trial_of

THREE_GB = 3 * 10**9
NETWORK = parse("res2next11_2c4w3s_8p_4classes")

CIFAR = """
import sys, torch
from pathlib import Path
from res2net import parse
from search.engine.bench import Bench
from search.images.splits import load
from search.images.section import Data
from search.engine.meter import peak_resident
from search.engine.recipe import Training
from search.engine.training import Trainer

data = Data(name="cifar100", validation=5000)
recipe = Training(epochs=1, batch_size=128, crop=4, flip=True)
bench = Bench(recipe, load(data, Path(sys.argv[1])), device=torch.device("cpu"))
trainer = Trainer(parse("resnet1.2.2_8w_8p_100classes"), bench, epochs=1, seed=0)
trainer.rehearse(3)
trainer.test()
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


def test_where_a_batch_does_not_fit_its_parts_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch of 32 in four parts: what the recipe gives when it is told so."""
    monkeypatch.setattr("search.engine.training.build", LittleMemory(8))
    epochs, ended = finish(trial_of(bench_of(), tmp_path, start(NETWORK)))
    assert (ended.status, ended.epochs, ended.parts) == (Status.OK, 4, 4)
    told, _ = finish(trial_of(bench_of(accumulate=4), tmp_path / "told", start(NETWORK)))
    assert numbers(epochs) == numbers(told)


def test_memory_that_ends_in_the_middle_costs_no_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the checkpoint on in smaller parts; nothing is reported twice."""
    first = trial_of(bench_of(), tmp_path, start(NETWORK))
    before = [first.step()[0] for _ in range(2)]
    first.save()
    monkeypatch.setattr("search.engine.training.build", LittleMemory(16))
    after, ended = finish(trial_of(bench_of(), tmp_path, start(NETWORK), reported=2))
    assert [epoch.epoch for epoch in (*before, *after) if epoch] == [1, 2, 3, 4]
    assert (ended.status, ended.parts) == (Status.OK, 2)


def test_where_not_even_one_image_fits_the_trial_is_out_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.engine.training.build", LittleMemory(0))
    epochs, ended = finish(trial_of(bench_of(), tmp_path, start(NETWORK)))
    assert epochs == []
    assert (ended.status, ended.parts) == (Status.OUT_OF_MEMORY, 32)
    assert "can't allocate memory" in ended.reason


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
    assert ended.parts > 1
