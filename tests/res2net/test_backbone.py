"""Features for other heads: shapes, shared weights, dilation, torchvision's own heads."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.segmentation import FCN, DeepLabV3
from torchvision.models.segmentation.deeplabv3 import DeepLabHead
from torchvision.models.segmentation.fcn import FCNHead

from res2net import Architecture, ArchitectureError, build, parse
from res2net.backbone import Backbone
from res2net.skeletons import SKELETONS
from tests.res2net.strategies import architectures
from tests.res2net.test_against_timm import module_of_timm, randomise_norms

SMALL = {
    "cifar": "res2next1.2.1_2c3w3s_8p",
    "imagenet": "res2net1.2.1.2_3w4s_8p",
    "dla": "res2net_dla1.2.1.1_3w4s_8p",
    "biglittle": "blres2net2.2.2.1_3w4s_8p",
}


def backbone(network: Architecture | str, **form: Any) -> Backbone:
    made = build(network, **form)
    assert isinstance(made, Backbone)
    return made


@settings(max_examples=10, deadline=None, derandomize=True)
@given(architectures(largest=3, planes=2), st.data(), st.integers(16, 70))
def test_channels_and_strides_are_those_of_the_features(
    network: Architecture, data: st.DataObject, side: int
) -> None:
    facts = SKELETONS[network.skeleton]
    stages = st.sets(st.integers(1, len(facts.stages)), min_size=1)
    asked, stride = data.draw(stages), data.draw(st.sampled_from(facts.output_strides))
    form = {"features": asked, "output_stride": stride, "device": "meta"}
    module = backbone(network, **form).to_empty(device="cpu").eval()
    with torch.no_grad():
        features = module(torch.empty(2, network.channels, side, side))
    assert list(features) == [facts.stages[stage - 1] for stage in sorted(asked)]
    for name, feature in features.items():
        reached = module.strides[name]
        assert feature.shape == (2, module.channels[name], *(-(-side // reached),) * 2)
    assert max(module.strides.values()) <= stride


@pytest.mark.parametrize("name", SMALL.values(), ids=SMALL)
def test_classifier_and_backbone_share_weights(name: str) -> None:
    """The classifier is the last feature, averaged, and its linear layer."""
    classifier = build(name, seed=3).double().eval()
    stages = len(parse(name).facts.stages)
    features = backbone(name, features=range(1, stages + 1)).double().eval()
    state = classifier.state_dict()
    assert set(state) - set(features.state_dict()) == {"fc.weight", "fc.bias"}
    features.load_state_dict({k: v for k, v in state.items() if not k.startswith("fc.")})
    images = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    last = list(features(images).values())[-1].mean((2, 3))
    logits = last @ state["fc.weight"].flatten(1).T + state["fc.bias"]
    assert torch.allclose(classifier(images), logits, rtol=0, atol=1e-10)


@pytest.mark.parametrize("variant", ["", "_v1b", "_all"])
@pytest.mark.parametrize("side", [64, 75])
@pytest.mark.parametrize("stride", [16, 8])
def test_a_smaller_output_stride_is_the_same_function_more_densely(
    variant: str, side: int, stride: int
) -> None:
    """Dilation for a stride: every so many places, the values of the strided network."""
    name = SMALL["imagenet"] + variant
    strided = backbone(name, features=[2, 3, 4]).double().eval()
    randomise_norms(strided, torch.Generator().manual_seed(0))
    dense = backbone(name, features=[2, 3, 4], output_stride=stride).double().eval()
    dense.load_state_dict(strided.state_dict(), strict=True)
    images = torch.randn(1, 3, side, side, dtype=torch.float64)
    for (key, coarse), fine in zip(
        strided(images).items(), dense(images).values(), strict=True
    ):
        step = strided.strides[key] // dense.strides[key]
        assert torch.allclose(fine[..., ::step, ::step], coarse, rtol=0, atol=1e-9)
    assert dense.strides == {"layer2": 8, "layer3": min(16, stride), "layer4": stride}


@pytest.mark.parametrize(
    ("name", "small"),
    [("res2net50_26w_4s", "res2net1.1.2.2_26w4s"), ("res2next50", "res2next1.1.2.2_8c4w4s")],
)
def test_dilation_is_timm_s(name: str, small: str) -> None:
    form = {"output_stride": 16, "layers": (1, 1, 2, 2)}  # only the last stage is dilated
    theirs = module_of_timm(name, torch.Generator().manual_seed(0), **form)
    ours = build(small, output_stride=16, device="meta").eval()
    ours.load_state_dict(theirs.state_dict(), strict=True, assign=True)
    images = torch.randn(1, 3, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        assert torch.equal(theirs(images), ours(images))


def test_features_can_be_named() -> None:
    named = backbone(SMALL["imagenet"], features={4: "out", 3: "aux"})
    assert list(named(torch.randn(2, 3, 32, 32))) == ["aux", "out"]
    assert named.strides == {"aux": 16, "out": 32}


def boxes() -> list[dict[str, Tensor]]:
    return [{"boxes": torch.tensor([[5.0, 5.0, 40.0, 50.0]]), "labels": torch.tensor([1])}]


@pytest.mark.parametrize("skeleton", ["imagenet", "dla", "biglittle"])
def test_it_drops_into_faster_rcnn(skeleton: str) -> None:
    """One forward and one backward pass through torchvision's pyramid and detector."""
    features = backbone(SMALL[skeleton], features=(1, 2, 3, 4))
    pyramid = BackboneWithFPN(
        features,
        return_layers={name: str(i) for i, name in enumerate(features.channels)},
        in_channels_list=list(features.channels.values()),
        out_channels=8,
    )
    detector = FasterRCNN(pyramid, num_classes=3, min_size=64, max_size=64)
    sum(detector([torch.rand(3, 64, 64)], boxes()).values()).backward()
    assert all(p.grad is not None for p in pyramid.parameters())


@pytest.mark.parametrize(
    ("head", "whole"), [(DeepLabHead, DeepLabV3), (FCNHead, FCN)], ids=["deeplab", "fcn"]
)
def test_it_drops_into_segmentation_heads(
    head: type[nn.Module], whole: type[nn.Module]
) -> None:
    features = backbone(SMALL["imagenet"], features={3: "aux", 4: "out"}, output_stride=8)
    model = whole(
        features,
        head(features.channels["out"], 5),
        FCNHead(features.channels["aux"], 5),
    )
    masks = model(torch.randn(2, 3, 64, 64))
    assert masks["out"].shape == masks["aux"].shape == (2, 5, 64, 64)
    (masks["out"].square().mean() + masks["aux"].square().mean()).backward()
    assert all(p.grad is not None for p in features.parameters())


@pytest.mark.parametrize(
    ("name", "form", "message"),
    [
        (SMALL["imagenet"], {"output_stride": 4}, "output_stride: 4 .* one of: 32, 16, 8"),
        (SMALL["dla"], {"output_stride": 16}, "output_stride: 16 .* one of: 32"),
        (SMALL["biglittle"], {"output_stride": 8}, "output_stride: 8 .* one of: 32"),
        (SMALL["cifar"], {"features": (1, 4)}, r"features: \(1, 4\) are not all stages"),
        (SMALL["cifar"], {"features": 2}, r"features: 2 are not all stages"),
        (SMALL["cifar"], {"features": {1: "a", 2: "a"}}, "two stages the same key"),
        (SMALL["cifar"], {"features": ()}, r"features: \(\) are not all stages"),
    ],
)
def test_a_form_that_a_skeleton_cannot_have_is_refused(
    name: str, form: dict[str, Any], message: str
) -> None:
    with pytest.raises(ArchitectureError, match=message):
        build(name, **form)
