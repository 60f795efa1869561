"""Joined layers are stored and loaded as the separate ones they stand for."""

import copy

import pytest
import torch
from torch import nn

from res2net import build
from res2net.joined import JoinedBatchNorm2d, JoinedConv2d

NETWORK = "res2net1.2.1_3w4s_4p_7classes"


def separate() -> nn.ModuleDict:
    """What the joined ones stand for."""
    return nn.ModuleDict(
        {
            "convs": nn.ModuleList(
                nn.Conv2d(6, 6, 3, padding=1, groups=2, bias=False) for _ in range(3)
            ),
            "bns": nn.ModuleList(nn.BatchNorm2d(6) for _ in range(3)),
        }
    )


def joined() -> nn.ModuleDict:
    return nn.ModuleDict(
        {"convs": JoinedConv2d(6, parts=3, groups=2), "bns": JoinedBatchNorm2d(6, parts=3)}
    )


def test_the_keys_and_shapes_are_those_of_separate_layers() -> None:
    expected = separate().state_dict()
    state = joined().state_dict()
    assert list(state) == list(expected)
    assert all(state[key].shape == expected[key].shape for key in expected)


def test_separate_weights_load_and_come_back() -> None:
    state = {
        key: torch.randn_like(tensor) if tensor.ndim else torch.tensor(5)
        for key, tensor in separate().state_dict().items()
    }
    module = joined()
    module.load_state_dict(state, strict=True)
    assert list(state) == list(module.state_dict())
    assert all(torch.equal(module.state_dict()[key], state[key]) for key in state)
    assert set(state) == set(separate().state_dict()), "the caller's dict is as it was"


def test_the_parameters_themselves_load_too() -> None:
    source, target = build(NETWORK, seed=1), build(NETWORK, seed=2)
    with_parameters = source.state_dict(keep_vars=True)
    assert with_parameters["layer1.0.convs.weight"] is source.layer1[0].convs.weight
    target.load_state_dict(with_parameters, strict=True)
    state = source.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in target.state_dict().items())


def test_what_is_missing_or_too_much_is_said_under_its_own_key() -> None:
    state = joined().state_dict()
    del state["convs.1.weight"], state["bns.2.running_var"]
    state["convs.3.weight"] = torch.zeros(6, 3, 3, 3)
    found = joined().load_state_dict(state, strict=False)
    assert set(found.missing_keys) == {"convs.1.weight", "bns.2.running_var"}
    assert found.unexpected_keys == ["convs.3.weight"]


def test_another_shape_is_refused() -> None:
    state = joined().state_dict()
    state["convs.1.weight"] = torch.zeros(7, 3, 3, 3)
    with pytest.raises(RuntimeError, match=r"size mismatch for convs\.weight"):
        joined().load_state_dict(state)


def test_the_slices_survive_a_file(tmp_path: pytest.TempPathFactory) -> None:
    module = build(NETWORK, seed=1)
    path = tmp_path / "weights.pth"
    torch.save(module.state_dict(), path)
    again = build(NETWORK, seed=2)
    again.load_state_dict(torch.load(path, weights_only=True))
    x = torch.randn(2, 3, 16, 16)
    assert torch.equal(again.eval()(x), copy.deepcopy(module).eval()(x))
