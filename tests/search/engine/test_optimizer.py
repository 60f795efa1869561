"""Our optimisers take the steps of torch's own, to the bit, and their states are theirs."""

import copy
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import Optimizer

from search.engine.optimizer import Average, make_optimizer
from tests.search.engine.benches import recipe

SGD = {"momentum": 0.9, "nesterov": True}
THEIRS = {"sgd": (torch.optim.SGD, SGD), "adamw": (torch.optim.AdamW, {"betas": (0.9, 0.999)})}


def made() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(72, 4))


def step(network: nn.Module, optimizer: Optimizer, number: int) -> None:
    generator = torch.Generator().manual_seed(number)
    images = torch.randn(6, 3, 5, 5, generator=generator)
    optimizer.zero_grad()
    F.cross_entropy(network(images), torch.arange(6) % 4).backward()
    optimizer.step()


def ours_for(network: nn.Module, name: str, options: dict[str, Any]) -> Optimizer:
    return make_optimizer(network, recipe(optimizer=name, lr=0.01, weight_decay=0.1, **options))


@pytest.mark.parametrize("name", THEIRS)
def test_steps_are_those_of_torch_and_so_is_the_state_in_between(name: str) -> None:
    kind, options = THEIRS[name]
    ours, theirs = made(), made()
    optimizer = ours_for(ours, name, options)
    same = {key: optimizer.param_groups[0][key] for key in ("lr", "weight_decay", "fused")}
    plain = kind(theirs.parameters(), **same, **options)
    for number in range(6):
        step(ours, optimizer, number)
        step(theirs, plain, number)
        if number == 2:  # as if it went on in another process
            optimizer = ours_for(ours, name, options)
            optimizer.load_state_dict(copy.deepcopy(plain.state_dict()))
    for found, expected in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(found, expected)
        assert found.requires_grad


class _Replaces(nn.Module):
    """Keeps a running mean by putting a new tensor into its buffer, and shares a weight."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3)
        self.second.weight = self.first.weight
        self.register_buffer("mean", torch.zeros(3))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.mean = 0.9 * self.mean + 0.1 * x.detach().mean(0)
        self.seen = self.seen + 1
        found: torch.Tensor = self.second(self.first(x) - self.mean)
        return found


def test_an_average_is_torch_s_own_whatever_a_block_does_to_its_buffers() -> None:
    torch.manual_seed(0)
    network = _Replaces()
    average = Average(network, 0.9)
    theirs = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9), use_buffers=True
    )
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for _ in range(4):
        optimizer.zero_grad()
        network(torch.randn(5, 3)).square().sum().backward()
        optimizer.step()
        average.follow()
        theirs.update_parameters(network)
    for name, value in average.network.named_parameters():
        assert torch.allclose(value, theirs.module.get_parameter(name)), name
    assert torch.allclose(average.network.mean, theirs.module.mean)  # type: ignore[arg-type]
    assert int(average.network.seen) == 4  # type: ignore[arg-type]
