"""Learning rates against torch's own schedulers."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, MultiStepLR, OneCycleLR

from search.engine.schedule import learning_rate
from search.schema.training import PlannedTraining


def recipe(**fields: object) -> PlannedTraining:
    return PlannedTraining.model_validate({"crop": 0, "flip": False, **fields})


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(1, 6), st.integers(1, 12), st.sampled_from(["cosine", "step"]))
def test_learning_rates_are_torch_s(epochs: int, steps: int, kind: str) -> None:
    training = recipe(epochs=epochs * 4, lr=0.3, schedule=kind, milestones=(0.5, 0.75))
    length = epochs * 4 * steps
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.3)
    schedule = (
        CosineAnnealingLR(optimizer, T_max=length)
        if kind == "cosine"
        else MultiStepLR(optimizer, [length // 2, length * 3 // 4], gamma=0.1)
    )
    for step in range(length):
        ours = learning_rate(training, step / steps, epochs * 4)
        assert ours == pytest.approx(schedule.get_last_lr()[0], rel=1e-6, abs=1e-12)
        optimizer.step()
        schedule.step()


def test_one_cycle_is_torch_s() -> None:
    """Torch's ends on its last step, ours after it: 1 step of 2,000 apart at most."""
    training = recipe(epochs=20, lr=0.4, schedule="onecycle")
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.4)
    schedule = OneCycleLR(optimizer, max_lr=0.4, total_steps=2000, cycle_momentum=False)
    for step in range(2000):
        ours = learning_rate(training, step / 100, 20)
        assert ours == pytest.approx(schedule.get_last_lr()[0], abs=0.4 * 4 / 2000)
        optimizer.step()
        if step < 1999:
            schedule.step()


def test_warmup_rises_from_zero_to_the_schedule() -> None:
    training = recipe(epochs=10, lr=0.4, schedule="step", warmup=2)
    rates = [learning_rate(training, epoch, 10) for epoch in (0, 0.5, 1, 2, 4.9, 5, 7.5)]
    assert rates == pytest.approx([0, 0.1, 0.2, 0.4, 0.4, 0.04, 0.004])


def test_milestones_are_shares_or_epochs() -> None:
    training = recipe(epochs=100, lr=1.0, schedule="step", milestones=(30, 60, 90))
    rates = [learning_rate(training, epoch, 100) for epoch in (0, 29.99, 30, 60, 90)]
    assert rates == pytest.approx([1, 1, 0.1, 0.01, 0.001])
    shares = recipe(epochs=100, lr=1.0, schedule="step", milestones=(0.3, 0.6, 0.9))
    assert shares.drops(100) == training.drops(100)


def test_the_rate_scales_with_the_batch_it_is_meant_for() -> None:
    assert recipe(epochs=1, lr=0.1, lr_batch=256, batch_size=64).peak_lr == 0.025
    assert recipe(epochs=1, lr=0.1, batch_size=64).peak_lr == 0.1
