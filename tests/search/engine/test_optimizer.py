"""Our optimisers take the steps of torch's own, to the bit, and their states are theirs."""

import copy
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import Optimizer

from search.engine.optimizer import make_optimizer
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
