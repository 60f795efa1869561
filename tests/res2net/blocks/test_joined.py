"""Joined layers are stored and loaded as the separate ones they stand for."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import prune
from torch.nn.utils.parametrizations import weight_norm
from torchvision.models.feature_extraction import create_feature_extractor

from res2net import build
from res2net.blocks.joined import JoinedBatchNorm2d, JoinedConv2d

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
        {"convs": JoinedConv2d(6, splits=3, groups=2), "bns": JoinedBatchNorm2d(6, splits=3)}
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


def test_another_shape_is_refused_even_where_the_sum_fits() -> None:
    state = joined().state_dict()
    state["convs.1.weight"] = torch.zeros(7, 3, 3, 3)
    state["convs.2.weight"] = torch.zeros(5, 3, 3, 3)
    with pytest.raises(RuntimeError, match=r"size mismatch for convs\.1\.weight"):
        joined().load_state_dict(state)


def test_a_checkpoint_of_before_the_counters_loads_as_into_any_norm() -> None:
    state = {k: v for k, v in joined().state_dict().items() if "num_batches" not in k}
    separate().load_state_dict(dict(state), strict=True)
    joined().load_state_dict(dict(state), strict=True)


def test_pruning_and_parametrisations_come_back() -> None:
    for change in (
        lambda m: prune.l1_unstructured(m["convs"], "weight", 0.5),
        lambda m: weight_norm(m["convs"]),
    ):
        source, target = joined(), joined()
        change(source)
        change(target)
        target.load_state_dict(source.state_dict(), strict=True)
        images = torch.randn(1, 18, 4, 4)
        assert torch.equal(source["convs"](images), target["convs"](images))


def test_a_norm_without_statistics_is_stored_without() -> None:
    module = joined()
    torch.func.replace_all_batch_norm_modules_(module)
    assert not any("running" in key for key in module.state_dict())


def test_an_average_of_weights_reaches_every_part() -> None:
    """What copies into the tensors of a state dict, as many averages do, changes the module."""
    module = joined()
    for tensor in module.state_dict().values():
        tensor.fill_(3)
    assert all((p == 3).all() for p in module.parameters())


def test_torch_fx_passes_through() -> None:
    network = build(NETWORK).eval()
    features = create_feature_extractor(network, ["layer2"])
    images = torch.randn(1, 3, 16, 16)
    expected = network.layer2(network.layer1(network.relu(network.bn1(network.conv1(images)))))
    assert torch.equal(features(images)["layer2"], expected)


def test_the_slices_survive_a_file(tmp_path: pytest.TempPathFactory) -> None:
    module = build(NETWORK, seed=1)
    path = tmp_path / "weights.pth"
    torch.save(module.state_dict(), path)
    again = build(NETWORK, seed=2)
    again.load_state_dict(torch.load(path, weights_only=True))
    x = torch.randn(2, 3, 16, 16)
    assert torch.equal(again.eval()(x), copy.deepcopy(module).eval()(x))
