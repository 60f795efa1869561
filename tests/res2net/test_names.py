"""Names in and out."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from res2net import Architecture, ArchitectureError, parse
from res2net.__main__ import main
from tests.res2net.strategies import architectures

SPELLINGS = {
    "Res2Net-50-26w-4s": "res2net50_26w4s",
    "res2net50_26w_4s": "res2net50_26w4s",
    "Res2NeXt-29, 6c\N{MULTIPLICATION SIGN}24w\N{MULTIPLICATION SIGN}4s-SE": (
        "res2next29_6c24w4s_se"
    ),
    "res2next29_6c24w4s_se": "res2next29_6c24w4s_se",
    "ResNeXt-29, 8c x 64w": "resnext29_8c64w",
    "ResNeXt-29 8x64d": "resnext29_8c64w",
    "resnext50_32x4d": "resnext50_32c4w",
    "Res2Net-v1b-101": "res2net101_26w4s_v1b",
    "res2net50d": "res2net50_26w4s_v1b",
    "res2net50_v1d_26w_4s": "res2net50_26w4s_v1b",
    "Res2NeXt-50": "res2next50_8c4w4s",
    "SE-Res2Net-50": "res2net50_26w4s_se",
    "Res2Net-50-L": "res2net50_18w4s",
    "ResNet-50": "resnet50_64w",
    "29d-6c-4s": "res2next29_6c24w4s",
    "164d-6c-1s": "resnext164_6c24w",
    "resnext101_8c64w_cifar": "resnext101_8c64w_cifar",
    "res2net2.3.2_26w4s": "res2net2.3.2_26w4s",
    "res2net3.4.6.3_26w4s": "res2net50_26w4s",
    "Res2Net-DLA-60": "res2net_dla60_28w4s",
    "dla60_res2net": "res2net_dla60_28w4s",
    "dla60_res2next": "res2next_dla60_8c4w4s",
    "DLA-60": "resnet_dla60_64w",
    "dla60x": "resnext_dla60_32c4w",
    "DLA-X-60": "resnext_dla60_32c4w",
    "SE-DLA-60": "resnet_dla60_64w_se",
    "bLRes2Net-50": "blres2net50_26w4s",
    "bL-ResNet-50": "blresnet50_64w",
    "SENet-50": "resnet50_64w_se",
    # He et al.'s and timm's 200 layers are not those of Res2Net-v1d-200.
    "ResNet-200": "resnet3.24.36.3_64w",
    "resnet3.12.48.3": "resnet3.12.48.3_64w",
    "res2net200_26w4s": "res2net200_26w4s",
    "resnet200_cifar": "resnet200_64w_cifar",
    "timm/res2net50d.in1k": "res2net50_26w4s_v1b",
    "29d-6c-24w-4s": "res2next29_6c24w4s",
    "res2net50_26w1.2.4.8s": "res2net50_26w1.2.4.8s",
    "res2next50_8c4w4.4.4.4s": "res2next50_8c4w4s",
}


@pytest.mark.parametrize(("text", "canonical"), SPELLINGS.items())
def test_the_spellings_people_use(text: str, canonical: str) -> None:
    assert parse(text).name == canonical


@settings(max_examples=200, deadline=None, derandomize=True)
@given(architectures(largest=200))
def test_a_name_leads_back_to_its_network(architecture: Architecture) -> None:
    assert parse(architecture.name) == architecture


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Res3Net-50", "names like: .*Res2Net-50"),
        ("resnet50_26w_4s", "says resnet, but its dimensions make it res2net50_26w4s"),
        ("Res2Net-50-26q", "gives depth twice"),
        ("Res2Net-26w-4s", "gives no depth"),
        ("Res2Net-50-4s", "no width"),
        ("resnet18", "basic blocks"),
        ("ResNet-50x", "not understood from 'x'"),
        ("dla60x_res2net", "not understood from 'x'"),
        ("Res2Net-DLA-60x", "not understood from 'x'"),
        ("Res2Net-DLA-50", "no depth 50 .*nearest: 46 or 60"),
        ("res2next29_6c24w4.4.4.4s", "is not 3 whole numbers"),
        ("res2net" + "9" * 5000, "has 5007 characters"),
        ("Res2Net-50?", "not understood from '\\?'"),
        ("Res2NeXt-30-6c24w4s", "nearest: 29 or 38"),
        ("Res2Net-51", "'imagenet' has 14, 26, 50, 101, 152, 200"),
        ("Res2NeXt-29-0c24w4s", "cardinality: 0 is below 1"),
    ],
)
def test_a_bad_name_says_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(ArchitectureError, match=problem):
        parse(text)


def test_the_command_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["Res2Net-50-299", "--image-size", "299", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["params"], round(facts["macs"] / 1e9, 3)) == (25_699_120, 7.928)


def test_the_command_takes_another_block(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["Res2Net-50", "--block", "depthwise", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["block"], facts["params"]) == ("depthwise", 20_768_974)
    assert main(["Res2Net-50", "--block", "no_such:BLOCK"]) == 2
    assert "No module named 'no_such'" in capsys.readouterr().err


def test_the_command_refuses_a_bad_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["Res3Net"]) == 2
    assert "names like" in capsys.readouterr().err


OWN = """
from res2net.skeletons.biglittle.facts import BIGLITTLE
from res2net.skeletons.dla.facts import DLA
from res2net.skeletons.resnet.facts import CIFAR

NARROW = DLA._replace(expansion=1)
SMALL = BIGLITTLE._replace(expansion=2)
LARGE = CIFAR._replace(expansion=8)
FOUR = CIFAR._replace(
    stages=("layer1", "layer2", "layer3", "layer4"), strides=(1, 2, 4, 8),
    output_strides=(8, 4, 2, 1),
)
ONE = CIFAR._replace(
    stages=("layer1",), strides=(1,), output_strides=(1,), depths={11: (3,)},
    layers=lambda blocks: 3 * sum(blocks) + 2,
)
ODD = CIFAR._replace(depths={29: (3, 3)})
"""


@pytest.fixture
def own(tmp_path: Path) -> str:
    (tmp_path / "own.py").write_text(OWN, encoding="utf-8")
    return f"{tmp_path}/own.py"


@pytest.mark.parametrize("kind", ["NARROW", "SMALL", "LARGE", "FOUR"])
def test_a_skeleton_of_one_s_own_is_in_the_name(own: str, kind: str) -> None:
    """Also where it is made from one whose names begin otherwise, as DLA's do."""
    network = Architecture(skeleton=f"{own}:{kind}", width=8, scale=4)
    assert f"_by-{kind}-" in network.name


def test_as_many_blocks_as_there_are_stages(own: str) -> None:
    assert Architecture(skeleton=f"{own}:FOUR", width=8).blocks == (3, 3, 3, 3)
    with pytest.raises(ArchitectureError, match=r"the blocks \[3, 3\], but has 3 stages"):
        Architecture(skeleton=f"{own}:ODD")
    one = f"{own}:ONE"
    names = {Architecture(skeleton=one, depth=depth).name for depth in (11, (11,))}
    assert len(names) == 2, "11 layers, and a stage of 11 blocks"


def test_lists_are_taken_for_one_number_each_stage() -> None:
    given: Any = [3, 4, 6, 3]
    network = Architecture(skeleton="imagenet", depth=given, width=26, scale=4)
    assert network == parse("res2net50_26w4s")
    assert hash(network) == hash(parse("res2net50_26w4s"))


def test_long_names_are_read_too() -> None:
    numbers = tuple(123_456_700 + n for n in range(4))
    network = Architecture(
        skeleton="imagenet", depth=(3, 4, 6, 4), width=numbers, scale=numbers,
        cardinality=numbers, planes=123_456_789, se=True, classes=12_345_678,
    )  # fmt: skip
    assert len(network.name) > 160
    assert parse(network.name) == network
