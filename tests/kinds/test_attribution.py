"""Attribution by captum: what hooks on modules see is the whole network, as on timm's module.

Timm's module is the reference, its activations set to work out of place: in place they
overwrite what hooks keep.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest
import torch
from captum import attr
from torch import Tensor, nn

from res2net import build
from res2net.architecture import Architecture
from res2net.skeletons import SKELETONS

res2net_of_timm = pytest.importorskip("timm.models.res2net")
resnet_of_timm = pytest.importorskip("timm.models.resnet")
dla_of_timm = pytest.importorskip("timm.models.dla")

Method = Callable[[nn.Module, Tensor], Any]
SPLIT: dict[str, Any] = {
    "block": res2net_of_timm.Bottle2neck,
    "base_width": 26,
    "block_args": {"scale": 4},
}
FIRST = "res2net1.2.1.1_26w4s"
THEIRS: dict[str, Callable[[], nn.Module]] = {
    FIRST: lambda: resnet_of_timm.ResNet(layers=(1, 2, 1, 1), **SPLIT),
    "res2net1.2.1.1_26w4s_v1b": lambda: resnet_of_timm.ResNet(
        layers=(1, 2, 1, 1), stem_width=32, stem_type="deep", avg_down=True, **SPLIT
    ),
    "resnet1.2.1.1_64w": lambda: resnet_of_timm.ResNet(
        layers=(1, 2, 1, 1), block=resnet_of_timm.Bottleneck
    ),
    "dla60_res2net": lambda: dla_of_timm.dla60_res2net(pretrained=False),
}
METHODS: dict[str, Method] = {
    "saliency": lambda m, x: attr.Saliency(m).attribute(x, target=1),
    "input x gradient": lambda m, x: attr.InputXGradient(m).attribute(x, target=1),
    "integrated gradients": lambda m, x: attr.IntegratedGradients(m).attribute(
        x, target=1, n_steps=3
    ),
    "guided backprop": lambda m, x: attr.GuidedBackprop(m).attribute(x, target=1),
    "deconvolution": lambda m, x: attr.Deconvolution(m).attribute(x, target=1),
    "Grad-CAM": lambda m, x: attr.LayerGradCam(m, last(m)).attribute(x, target=1),
    "guided Grad-CAM": lambda m, x: attr.GuidedGradCam(m, last(m)).attribute(
        x.expand(4, -1, -1, -1),
        target=[0, 1, 2, 3],  # some map has evidence for its class
    ),
    "activations of a norm": lambda m, x: attr.LayerActivation(m, norm(m)).attribute(x),
    "gradient x activation of a norm": lambda m, x: attr.LayerGradientXActivation(
        m, norm(m)
    ).attribute(x, target=1),
    "conductance": lambda m, x: attr.LayerConductance(m, norm(m)).attribute(
        x, target=1, n_steps=3
    ),
    "neuron gradient": lambda m, x: attr.NeuronGradient(m, norm(m)).attribute(x, (0, 1, 1)),
}
# All of them on one network; on the others those that look at single activations.
CASES = [
    (name, method)
    for name in THEIRS
    for method in METHODS
    if name == FIRST or method in ("guided backprop", "activations of a norm")
]


def last(module: nn.Module) -> nn.Module:
    return module.get_submodule("layer4" if hasattr(module, "layer4") else "level5")


def norm(module: nn.Module) -> nn.Module:
    """A norm whose output an activation follows."""
    deep = "layer2.0" if hasattr(module, "layer2") else "level3.tree2.tree1"
    return module.get_submodule(f"{deep}.bn1")


@lru_cache(maxsize=1)  # cases are in the order of their networks
def pair(name: str) -> tuple[nn.Module, nn.Module]:
    """Timm's module and ours, with the same weights in float64."""
    torch.manual_seed(0)
    theirs = THEIRS[name]().double()
    for part in theirs.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
        if isinstance(part, nn.BatchNorm2d):
            part.weight.data.uniform_(0.5, 1.5)  # timm's last one of a block is 0
            part.bias.data.normal_(0, 0.2)
            part.running_mean.normal_(0, 0.1)
    ours = build(name).double()
    ours.load_state_dict(theirs.state_dict())
    return theirs.eval(), ours.eval()


@pytest.mark.filterwarnings("ignore::UserWarning")  # captum's, of the gradients it turns on
@pytest.mark.parametrize(("name", "method"), CASES)
def test_a_method_gives_what_it_gives_on_timm_s_module(name: str, method: str) -> None:
    theirs, ours = pair(name)
    side = 64 if "dla" in name else 48  # the least that leaves more than a pixel
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(1, 3, side, side, generator=generator, dtype=torch.float64)
    expected, found = (METHODS[method](each, image.clone()) for each in (theirs, ours))
    assert expected.abs().max() > 0
    assert torch.allclose(found, expected, rtol=1e-9, atol=1e-12 * expected.abs().max().item())


FAMILY = [
    Architecture(
        skeleton=name,
        depth=(2,) * len(facts.stages),
        planes=8,
        width=3,
        scale=3,
        se=True,
        classes=5,
        block=block,
    )
    for name, facts in SKELETONS.items()
    for block in ("res2net", "depthwise")
]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("architecture", FAMILY, ids=lambda a: a.name)
def test_deep_lift_accounts_for_the_whole_output(architecture: Architecture) -> None:
    """Its sum is the difference of the outputs, if it sees every activation, each once.

    Timm's module can't say it: it uses one activation for several layers, which captum refuses.
    """
    module = build(architecture).double().eval()
    for scale in module.modules():  # no gate: a product of two parts is beyond the method
        if hasattr(scale, "gate"):
            scale.gate = nn.Hardtanh(1, 1 + 1e-12)
    image = torch.randn(1, 3, 32, 32, dtype=torch.float64)
    baseline = torch.zeros_like(image)
    found = attr.DeepLift(module).attribute(image, baseline, target=1)
    difference = (module(image) - module(baseline))[0, 1]
    assert found.sum().item() == pytest.approx(difference.item(), rel=1e-6)


@pytest.mark.parametrize("architecture", FAMILY, ids=lambda a: a.name)
def test_nothing_that_a_hook_keeps_is_overwritten(architecture: Architecture) -> None:
    """Every module's output, kept by a hook and copied at once, is what it was at the end."""
    module = build(architecture)
    kept: list[tuple[str, Tensor, Tensor]] = []

    def keep(name: str) -> Callable[..., None]:
        return lambda _module, _inputs, output: kept.append((name, output, output.clone()))

    for name, part in module.named_modules():
        part.register_forward_hook(keep(name))
    module(torch.randn(2, 3, 32, 32))
    changed = [name for name, output, copied in kept if not torch.equal(output, copied)]
    assert not changed


@pytest.mark.parametrize("architecture", FAMILY, ids=lambda a: a.name)
def test_each_module_with_a_hook_is_used_once(architecture: Architecture) -> None:
    module = build(architecture)
    calls: list[str] = []
    activations = [
        name for name, part in module.named_modules() if isinstance(part, (nn.ReLU, nn.Sigmoid))
    ]
    for name in activations:
        module.get_submodule(name).register_full_backward_hook(
            lambda *_, name=name: calls.append(name)
        )
    torch.autograd.backward(module(torch.randn(2, 3, 32, 32)).sum())
    assert sorted(calls) == sorted(activations)
    graph = torch.fx.symbolic_trace(module).graph
    functional = {node.target for node in graph.nodes if node.op != "call_module"}
    assert not {target for target in functional if "relu" in str(target)}
