"""A network is made of ordinary modules: what works on torch's own works on it."""

import copy
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import get_model_state_dict, set_model_state_dict
from torch.nn.utils import prune
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.nn.utils.parametrizations import weight_norm
from torchvision.models.feature_extraction import create_feature_extractor

from res2net import build
from res2net.published import published

NETWORK = "res2net1.2.1_3w4s_4p_7classes"
PUBLISHED = sorted({row.architecture.name for row in published()})


def trained() -> nn.Module:
    """Weights and statistics that are nobody's initial ones."""
    module = build(NETWORK, seed=1)
    generator = torch.Generator().manual_seed(0)
    for key, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            low = 0.5 if "running_var" in key else -0.5
            tensor.uniform_(low, 1, generator=generator)
    return module.eval()


def images() -> Tensor:
    return torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_and_buffers_have_the_names_of_the_state_dict(name: str) -> None:
    module = build(name, device="meta")
    named = [*dict(module.named_parameters()), *dict(module.named_buffers())]
    state = module.state_dict()
    assert sorted(named) == sorted(state)
    for key, tensor in module.state_dict(keep_vars=True).items():
        owner, _, member = key.rpartition(".")
        assert getattr(module.get_submodule(owner), member) is tensor
        assert tensor.shape == state[key].shape
    kinds = {type(part) for part in module.modules() if not isinstance(part, nn.Sequential)}
    with_tensors = {kind for kind in kinds if kind in (nn.Conv2d, nn.BatchNorm2d, nn.Linear)}
    holders = {type(module.get_submodule(key.rpartition(".")[0])) for key in state}
    assert holders == with_tensors


def test_synchronised_norms_load_and_give_published_weights() -> None:
    module = trained()
    sync = nn.SyncBatchNorm.convert_sync_batchnorm(build(NETWORK))
    sync.load_state_dict(module.state_dict(), strict=True)
    assert list(sync.state_dict()) == list(module.state_dict())
    build(NETWORK).load_state_dict(sync.state_dict(), strict=True)
    assert any(isinstance(part, nn.SyncBatchNorm) for part in sync.layer1[0].bns)


@pytest.mark.parametrize("form", [torch.contiguous_format, torch.channels_last])
def test_safetensors_saves_and_loads_the_module(
    form: torch.memory_format, tmp_path: Path
) -> None:
    module = trained().to(memory_format=form)
    path = tmp_path / "module.safetensors"
    safetensors.torch.save_model(module, str(path))
    again = build(NETWORK).eval()
    assert safetensors.torch.load_model(again, path) == (set(), [])
    assert torch.allclose(again(images()), module(images()), atol=1e-6)


def test_distributed_checkpoints_get_and_set_the_state() -> None:
    module, again = trained(), build(NETWORK).eval()
    state = get_model_state_dict(module)
    assert list(state) == list(module.state_dict())
    set_model_state_dict(again, state)
    assert torch.equal(again(images()), module(images()))


def test_every_parameter_and_buffer_is_found_by_its_key() -> None:
    module = trained()
    for key, tensor in module.state_dict().items():
        found = module.get_parameter if key in dict(module.named_parameters()) else None
        own = found(key) if found else module.get_buffer(key)
        assert torch.equal(own, tensor)
        assert own.data_ptr() == tensor.data_ptr()


def test_a_missing_key_leaves_its_own_tensor_alone_and_no_other() -> None:
    module, state = build(NETWORK, seed=2), trained().state_dict()
    own = module.get_parameter("layer1.0.convs.1.weight").clone()
    given = {key: tensor for key, tensor in state.items() if key != "layer1.0.convs.1.weight"}
    found = module.load_state_dict(given, strict=False)
    assert found.missing_keys == ["layer1.0.convs.1.weight"]
    assert not found.unexpected_keys
    after = module.state_dict()
    assert all(torch.equal(after[key], tensor) for key, tensor in given.items())
    assert torch.equal(after["layer1.0.convs.1.weight"], own)


def test_a_functional_call_takes_the_state_dict() -> None:
    module, other = trained(), build(NETWORK, seed=2).eval()
    found = torch.func.functional_call(other, module.state_dict(), (images(),))
    assert torch.equal(found, module(images()))


def test_an_ensemble_is_stacked() -> None:
    members = [trained(), build(NETWORK, seed=2).eval()]
    parameters, buffers = torch.func.stack_module_state(members)
    assert {*parameters, *buffers} == {*members[0].state_dict()}
    base = copy.deepcopy(members[0]).to("meta")

    def one(weights: dict[str, Tensor], statistics: dict[str, Tensor], x: Tensor) -> Tensor:
        found: Tensor = torch.func.functional_call(base, (weights, statistics), (x,))
        return found

    found = torch.vmap(one, (0, 0, None))(parameters, buffers, images())
    for member, output in zip(members, found, strict=True):
        assert torch.allclose(member(images()), output, rtol=1e-4, atol=1e-4)


def test_pruning_and_parametrisations_are_of_one_layer() -> None:
    module = trained()
    prune.l1_unstructured(module.layer1[0].convs[1], "weight", 0.5)
    weight_norm(module.layer1[0].convs[2])
    keys = set(module.state_dict())
    assert {"layer1.0.convs.0.weight", "layer1.0.convs.1.weight_mask"} <= keys
    assert "layer1.0.convs.2.parametrizations.weight.original0" in keys
    assert float((module.layer1[0].convs[1].weight == 0).float().mean()) == pytest.approx(
        0.5, abs=0.02
    )
    module(images())


def test_a_convolution_and_its_norm_are_fused_one_by_one() -> None:
    module, expected = trained(), trained()(images())
    for block in (*module.layer1, *module.layer2):
        for index, (conv, bn) in enumerate(zip(block.convs, block.bns, strict=True)):
            block.convs[index] = fuse_conv_bn_eval(conv, bn)
            block.bns[index] = nn.Identity()
    assert torch.allclose(module(images()), expected, rtol=1e-4, atol=1e-4)


def test_features_are_taken_from_any_layer() -> None:
    module = trained()
    names = ["layer1.0.bns.1", "layer1.0.acts.1", "layer2"]
    found = create_feature_extractor(module, names)(images())
    caught: dict[str, Tensor] = {}
    for name in names:
        module.get_submodule(name).register_forward_hook(
            lambda _, __, output, name=name: caught.setdefault(name, output)
        )
    module(images())
    for key, name in zip(found, names, strict=True):
        assert torch.equal(found[key], caught[name])
