"""Layers that run side by side, computed as one: the same numbers, and the way back."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import prune
from torch.nn.utils.parametrizations import weight_norm
from torch.optim import SGD

from res2net import build, joined, separated

NETWORKS = [
    "res2net1.2.1_3w4s_4p_7classes",
    "res2next1.1.1_2c3w3s_8p_se",
    "res2net1.2.1_3w4s_4p_depthwise",
    "res2net_dla1.1.1.1_3w4s_8p",
    "blres2net2.2.2.1_3w3s_8p",
]


def network_of(name: str) -> nn.Module:
    return build(name, seed=1).double()


def convolutions(module: nn.Module) -> int:
    return sum(isinstance(part, nn.Conv2d) for part in module.modules())


@pytest.mark.parametrize("name", NETWORKS)
def test_joined_and_separate_learn_the_same_and_come_apart_again(name: str) -> None:
    """Three steps with momentum and decay: the weights agree to float64's rounding."""
    plain = network_of(name)
    fast = joined(plain)
    assert convolutions(fast) < convolutions(plain)
    assert sum(p.numel() for p in fast.parameters()) == sum(
        p.numel() for p in plain.parameters()
    )
    for module in (plain, fast):
        generator = torch.Generator().manual_seed(0)
        optimizer = SGD(module.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-2)
        for _ in range(3):
            images = torch.randn(4, 3, 32, 32, dtype=torch.float64, generator=generator)
            optimizer.zero_grad()
            torch.autograd.backward(module(images).square().mean())
            optimizer.step()
    state = separated(fast).state_dict()
    assert list(state) == list(plain.state_dict())
    for key, tensor in plain.state_dict().items():
        assert torch.allclose(state[key].double(), tensor.double(), rtol=1e-9, atol=1e-10), key


@pytest.mark.parametrize("name", NETWORKS)
def test_the_way_there_and_back_changes_no_bit(name: str) -> None:
    plain = network_of(name)
    before = copy.deepcopy(plain.state_dict())
    again = separated(joined(plain))
    assert repr(again) == repr(plain)
    for state in (again.state_dict(), plain.state_dict()):
        assert all(torch.equal(state[key], tensor) for key, tensor in before.items())
    own = {parameter.data_ptr() for parameter in plain.parameters()}
    assert not own & {parameter.data_ptr() for parameter in again.parameters()}, "a copy"


def test_in_place_it_is_the_module_itself_that_is_joined() -> None:
    plain = network_of(NETWORKS[0])
    fast = joined(copy.deepcopy(plain))
    assert joined(plain, inplace=True) is plain
    assert repr(plain) == repr(fast)
    state = plain.state_dict()
    assert all(torch.equal(state[key], tensor) for key, tensor in fast.state_dict().items())


def test_what_was_changed_stays_separate_and_counts() -> None:
    for change in (
        lambda block: prune.l1_unstructured(block.convs[0], "weight", 0.5),
        lambda block: weight_norm(block.convs[1]),
        lambda block: block.bns[0].register_forward_hook(lambda *args: args[2] * 2),
        lambda block: block.convs[0].weight.requires_grad_(requires_grad=False),
        lambda block: setattr(block.bns[1], "momentum", 0.5),
        lambda block: block.bns.__setitem__(2, nn.SyncBatchNorm(3).double()),
        lambda block: block.bns[1].num_batches_tracked.fill_(5),
    ):
        plain = network_of("res2net1.1.1_3w4s_4p").eval()
        change(plain.layer1[0])
        fast = joined(plain)
        images = torch.randn(2, 3, 16, 16, dtype=torch.float64)
        assert len(fast.layer1[0].convs) == 4
        assert len(fast.layer2[0].convs) == 1
        assert torch.allclose(fast(images), plain(images), rtol=1e-9)


def test_frozen_layers_and_modes_are_kept() -> None:
    plain = network_of("res2net1.1.1_3w4s_4p")
    plain.layer1.requires_grad_(requires_grad=False).eval()
    fast = joined(plain)
    assert not any(parameter.requires_grad for parameter in fast.layer1.parameters())
    assert not fast.layer1[0].bns[0].training
    assert fast.layer2[0].bns[0].training


class Own(nn.Module):
    """Of somebody who has an attribute of the name that our blocks use, or one like it."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self.joinable = value
        self.parallel = True
        self.layers = nn.ModuleList([nn.Conv2d(3, 3, 1)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers[0](x)


@pytest.mark.parametrize("value", [True, "layers", ("nothing",), ["layers"], None, 3])
def test_a_module_of_somebody_s_own_is_left_alone(value: object) -> None:
    module = nn.Sequential(Own(value))
    images = torch.randn(1, 3, 4, 4)
    for change in (joined, separated):
        assert torch.equal(change(module)(images), module(images))
