"""The built module: its gradients, its seeds."""

from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch import nn

from res2net import Architecture, ArchitectureError, build, cost, parse
from res2net.building import _give_memory
from tests.res2net.strategies import architectures


@pytest.mark.usefixtures("one_thread")
@settings(max_examples=16, deadline=None, derandomize=True)
@given(architectures(largest=3, planes=2))
def test_every_parameter_gets_a_gradient(architecture: Architecture) -> None:
    module = build(architecture)
    logits = module(torch.randn(2, architecture.channels, 24, 24))
    assert logits.shape == (2, architecture.classes)
    logits.square().sum().backward()
    assert all(parameter.grad is not None for parameter in module.parameters())


def test_weights_come_from_the_seed_and_from_nothing_else() -> None:
    network = parse("res2next20_2c4w3s_8p")
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = build(network, seed=7).state_dict()
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(2)
    again, other = build(network, seed=7).state_dict(), build(network, seed=8).state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["conv1.weight"], other["conv1.weight"])


def test_he_initialisation_has_the_variance_of_fan_out() -> None:
    weight = build("29d-1c-1s").layer3[0].conv1.weight
    expected = (2 / weight.shape[0]) ** 0.5
    # Standard error of a deviation over n normal draws is s / sqrt(2n): 6 of them.
    assert weight.std().item() == pytest.approx(expected, rel=6 / (2 * weight.numel()) ** 0.5)


def test_every_tensor_gets_memory_once_and_stays_what_it_is() -> None:
    """A block may have a weight of two names, frozen ones, and buffers that are not saved."""
    with torch.device("meta"):
        module = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.BatchNorm2d(2))
    module[1].weight = module[0].weight
    module[0].register_parameter("again", module[0].weight)
    module[0].bias.requires_grad_(False)
    module[0].register_buffer("unsaved", torch.empty(3, device="meta"), persistent=False)
    keys = list(module.state_dict())
    _give_memory(module, fill=None)
    tensors = [*module.parameters(), *module.buffers()]
    assert {tensor.device.type for tensor in tensors} == {"cpu"}
    assert module[1].weight is module[0].weight is module[0].again
    assert not module[0].bias.requires_grad
    assert module[1].bias.requires_grad
    assert module[2].num_batches_tracked.dtype == torch.int64
    assert list(module.state_dict()) == keys


def test_a_module_is_in_float32_whatever_torch_s_default_is() -> None:
    expected = build("res2net11_2w2s_2p").state_dict()
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        made = build("res2net11_2w2s_2p").state_dict()
        assert torch.get_default_dtype() is torch.float64
    finally:
        torch.set_default_dtype(before)
    assert all(torch.equal(made[key], tensor) for key, tensor in expected.items())


def test_what_is_no_size_of_an_image_is_refused() -> None:
    for size in (0, -5, (0, 3), 224.0, (224,), "224"):
        given: Any = size
        with pytest.raises(ArchitectureError, match=r"is not the side of an image in pixels"):
            cost("res2net50", image_size=given)
    size = np.int64(64)
    assert cost("res2net50", image_size=cast("int", size)) == cost("res2net50", image_size=64)


@pytest.mark.parametrize("asked", [{"output_stride": 16.0}, {"features": [True]}])
def test_stages_and_strides_are_whole_numbers(asked: Any) -> None:
    with pytest.raises(ArchitectureError):
        build("res2net50", device="meta", **asked)
