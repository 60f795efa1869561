"""Checkpoints in the naming of others: the same output as in their own module."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from res2net import build, parse
from res2net.errors import WeightsError
from res2net.weights import TIMM, PartsLeftOut, fill, timm_name
from tests.res2net.weights.test_loading import TINY, assert_same_tensors, saved, trained

timm = pytest.importorskip("timm")
res2net_of_timm = pytest.importorskip("timm.models.res2net")
resnet_of_timm = pytest.importorskip("timm.models.resnet")

State = dict[str, Tensor]

SMALL = "res2net1.2.1.1_26w4s"  # stage 2 has a block with sums
PLAIN: dict[str, Any] = {"block": resnet_of_timm.Bottleneck}
SPLIT: dict[str, Any] = {
    "block": res2net_of_timm.Bottle2neck,
    "base_width": 26,
    "block_args": {"scale": 4},
}
DEEP_STEM: dict[str, Any] = {"stem_width": 32, "stem_type": "deep", "avg_down": True}
SETTINGS_OF_TIMM: dict[str, dict[str, Any]] = {
    SMALL: SPLIT,
    f"{SMALL}_v1b": SPLIT | DEEP_STEM,
    "res2next1.2.1.1_8c4w4s": SPLIT | {"base_width": 4, "cardinality": 8},
    "resnet1.2.1.1_64w": PLAIN,
    "resnet1.2.1.1_64w_v1b": PLAIN | DEEP_STEM,
}


def module_of_timm(name: str) -> nn.Module:
    torch.manual_seed(0)
    if name in SETTINGS_OF_TIMM:
        layers = (1, 2, 1, 1)
        return trained(resnet_of_timm.ResNet(layers=layers, **SETTINGS_OF_TIMM[name]))
    return trained(timm.create_model(name))


def of_mmdetection(state: State) -> State:
    """The authors' v1b keys as in mmdetection: only the stem, layer by layer."""
    renamed = {}
    for key, tensor in state.items():
        if key.startswith("bn1."):
            renamed[key.replace("bn1.", "stem.7.")] = tensor
        elif key.startswith("conv1."):
            renamed[key.replace("conv1.", "stem.")] = tensor
        else:
            renamed[key] = tensor
    return renamed


def of_mmpretrain(state: State) -> State:
    """And as in mmpretrain: its stem is of pairs, and there are a prefix and a head."""
    stem = {"0": "0.conv", "1": "0.bn", "3": "1.conv", "4": "1.bn", "6": "2.conv", "7": "2.bn"}
    renamed = {}
    for key, tensor in of_mmdetection(state).items():
        if key.startswith("stem."):
            _, index, member = key.split(".")
            renamed[f"backbone.stem.{stem[index]}.{member}"] = tensor
        elif key.startswith("fc."):
            renamed[f"head.{key}"] = tensor
        else:
            renamed[f"backbone.{key}"] = tensor
    return renamed


def of_resnet_d(state: State) -> State:
    """mmpretrain's ResNet-D has no pool, and so no number for it, in layer1's shortcut."""
    shortcut = "backbone.layer1.0.downsample."
    return {
        key.replace(f"{shortcut}1.", f"{shortcut}0.").replace(
            f"{shortcut}2.", f"{shortcut}1."
        ): t
        for key, t in of_mmpretrain(state).items()
    }


def assert_same_output(ours: nn.Module, theirs: Callable[[Tensor], Tensor]) -> None:
    images = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = theirs(images)
        # Float32 through some 20 layers; a tensor in a wrong place is off by about 1.
        assert (ours.eval()(images) - expected).abs().max() <= 1e-4 * expected.std()


@pytest.mark.parametrize("name", SETTINGS_OF_TIMM)
def test_a_checkpoint_of_timm_gives_timm_s_output(name: str, tmp_path: Path) -> None:
    theirs = module_of_timm(name)
    ours = build(name, weights=saved(theirs.state_dict(), tmp_path))
    assert ours.training
    assert_same_output(ours, theirs)


@pytest.mark.parametrize(
    ("name", "rename"),
    [
        (f"{SMALL}_v1b", of_mmdetection),
        (f"{SMALL}_v1b", of_mmpretrain),
        (SMALL, lambda state: {f"backbone.{k}": t for k, t in state.items()}),
        ("resnet1.2.1.1_64w_v1b", of_resnet_d),
    ],
)
def test_a_checkpoint_of_openmmlab(
    name: str, rename: Callable[[State], State], tmp_path: Path
) -> None:
    theirs = module_of_timm(name)
    path = saved({"meta": {"epoch": 3}, "state_dict": rename(theirs.state_dict())}, tmp_path)
    assert_same_output(build(name, weights=path), theirs)


def test_a_detector_gives_its_backbone_and_says_what_it_left_out(tmp_path: Path) -> None:
    theirs = module_of_timm(f"{SMALL}_v1b").state_dict()
    state = {k: t for k, t in of_mmpretrain(theirs).items() if not k.startswith("head.")}
    state |= {"neck.conv.weight": torch.ones(2), "rpn_head.conv.weight": torch.ones(2)}
    path = saved({"state_dict": state}, tmp_path)
    with pytest.warns(PartsLeftOut, match=r"2 entries .*: neck, rpn_head$"):
        backbone = build(f"{SMALL}_v1b", weights=path, features=(1, 2, 3, 4))
    kept = {key: tensor for key, tensor in theirs.items() if not key.startswith("fc.")}
    assert_same_tensors(backbone.state_dict(), kept)
    with pytest.raises(
        WeightsError, match=r"missing: fc.weight .*, fc.bias .*\n.*features=\(1, 2"
    ):
        build(f"{SMALL}_v1b", weights=path)


def test_the_authors_dla_has_projections_that_are_never_used(tmp_path: Path) -> None:
    theirs = module_of_timm("dla60_res2net")
    state = theirs.state_dict()
    for path, out, channels in [
        ("level3", 256, 128),
        ("level4", 512, 256),
        ("level4.tree1", 512, 256),
    ]:
        state[f"{path}.project.0.weight"] = torch.randn(out, channels, 1, 1)
        norm = nn.BatchNorm2d(out).state_dict()
        state |= {f"{path}.project.1.{member}": tensor for member, tensor in norm.items()}
    assert_same_output(build("dla60_res2net", weights=saved(state, tmp_path)), theirs)
    state["level4.tree2.project.0.weight"] = torch.ones(1)
    with pytest.raises(
        WeightsError, match=r"unexpected: level4.tree2.project.0.weight \(1\)\n"
    ):
        build("dla60_res2net", weights=saved(state, tmp_path))
    state = build(TINY).state_dict() | {"level3.project.0.weight": torch.ones(1)}
    with pytest.raises(WeightsError, match=r"unexpected: level3.project.0.weight .*\n"):
        fill(build(TINY), parse(TINY), state, source="a ResNet has no such")


class BigLittleOfIbm:
    """bLResNet by the keys of its authors' checkpoints, and by nothing of ours."""

    def __init__(self, state: State) -> None:
        self.state = state

    def __call__(self, x: Tensor) -> Tensor:
        x = self.layer(x, "conv1", "bn1", 2).relu()
        little = self.layer(x, "l_conv0", "bn_l0").relu()
        little = self.layer(little, "l_conv1", "bn_l1", 2).relu()
        big = self.layer(x, "b_conv0", "bn_b0", 2) + self.layer(little, "l_conv2", "bn_l2")
        x = self.layer(big.relu(), "bl_init", "bn_bl_init").relu()
        for stage, stride in (("layer1", 2), ("layer2", 2), ("layer3", 1)):
            big = self.blocks(x, f"{stage}.big", 2, ends_with_relu=False)
            little = self.blocks(x, f"{stage}.little", 1)
            little = self.layer(little, f"{stage}.little_e.0", f"{stage}.little_e.1")
            x = (F.interpolate(big, little.shape[2:]) + little).relu()
            x = self.blocks(x, f"{stage}.fusion", stride)
        x = self.blocks(x, "layer4", 2).mean((2, 3))
        return F.linear(x, self.state["fc.weight"], self.state["fc.bias"])

    def layer(self, x: Tensor, conv: str, bn: str, stride: int = 1) -> Tensor:
        kernel = self.state[f"{conv}.weight"]
        x = F.conv2d(x, kernel, stride=stride, padding=kernel.shape[-1] // 2)
        members = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(x, *(self.state[f"{bn}.{member}"] for member in members))

    def blocks(
        self, x: Tensor, path: str, stride: int, *, ends_with_relu: bool = True
    ) -> Tensor:
        indices = {int(m[1]) for k in self.state if (m := re.match(rf"{path}\.(\d+)\.", k))}
        for index in sorted(indices):
            at, pace = f"{path}.{index}", stride if index == 0 else 1
            out = self.layer(x, f"{at}.conv1", f"{at}.bn1").relu()
            out = self.layer(out, f"{at}.conv2", f"{at}.bn2", pace).relu()
            out = self.layer(out, f"{at}.conv3", f"{at}.bn3")
            x = F.avg_pool2d(x, 3, 2, 1) if pace == 2 else x
            first = int(pace == 2)  # the pool counts in the shortcut, if there is one
            if f"{at}.downsample.{first}.weight" in self.state:
                x = self.layer(x, f"{at}.downsample.{first}", f"{at}.downsample.{first + 1}")
            x = out + x if index == max(indices) and not ends_with_relu else (out + x).relu()
        return x


def test_a_checkpoint_of_big_little_s_authors(tmp_path: Path) -> None:
    name = "blresnet3.4.2.2_8w_8p"
    state = {
        key.removeprefix("stem."): tensor
        for key, tensor in trained(build(name)).state_dict().items()
    }
    assert {"conv1.weight", "b_conv0.weight", "bn_bl_init.bias"} <= state.keys()
    wrapped = {f"module.{key}": tensor for key, tensor in state.items()}
    ours = build(name, weights=saved({"epoch": 110, "state_dict": wrapped}, tmp_path))
    assert_same_output(ours, BigLittleOfIbm(state))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda m: {"state_dict": m.state_dict()},
        lambda m: {"model": {"state_dict": m.state_dict()}, "epoch": 3},
        lambda m: {"network": m.state_dict(), "optimizer": {"state": {}}, "epochs": [1.5]},
        lambda m: nn.DataParallel(m).state_dict(),
        lambda m: {f"module._orig_mod.{key}": t for key, t in m.state_dict().items()},
        lambda m: {f"_orig_mod.module.{key}": t for key, t in m.state_dict().items()},
        lambda m: {"state_dict": {f"model.{key}": t for key, t in m.state_dict().items()}},
        lambda m: torch.optim.swa_utils.AveragedModel(m).state_dict(),
        lambda m: m.state_dict() | {"fc.bias": m.fc.bias},
        lambda m: m.state_dict(keep_vars=True),
    ],
)
def test_what_training_programs_put_around_the_weights(
    wrap: Callable[[nn.Module], object], tmp_path: Path
) -> None:
    module = trained(build(TINY, seed=3))
    path = saved(wrap(module), tmp_path)
    assert_same_tensors(build(TINY, weights=path).state_dict(), module.state_dict())
    assert len(build(TINY, weights=path, features=(2,)).state_dict()) < len(module.state_dict())


# One of each kind; the others differ from these in depth, width or cardinality.
KINDS = {
    *("res2net50_26w_4s", "res2next50", "res2net50d", "dla60_res2net", "dla60", "dla60x"),
    *("resnet26", "resnet50d", "resnext50_32x4d", "seresnet50", "seresnext50_32x4d"),
}
EACH = [name if name in KINDS else pytest.param(name, marks=pytest.mark.slow) for name in TIMM]


@pytest.mark.parametrize("name", EACH)
def test_the_networks_of_timm_are_ours_key_for_key(name: str) -> None:
    with torch.device("meta"):
        theirs = timm.create_model(name)
    assert theirs.default_cfg.get("hf_hub_id"), "it has weights"
    ours = build(name, device="meta").state_dict()
    assert {k: t.shape for k, t in theirs.state_dict().items()} == {
        key: tensor.shape for key, tensor in ours.items()
    }
    assert timm_name(parse(name)) == name
    assert timm_name(parse(f"{name}_7classes")) == name
