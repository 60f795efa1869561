"""Somebody's own block: counted, built, traced and named like ours."""

import dataclasses
import os
from pathlib import Path

import pytest
import torch

from res2net import Architecture, ArchitectureError, build, cost, parse
from res2net.receptive import network_paths
from res2net.skeletons import SKELETONS
from tests.res2net.blocks.foreign import written
from tests.res2net.test_cost import counted_by_torch


@pytest.fixture
def block(tmp_path: Path) -> str:
    return written(tmp_path)


@pytest.mark.parametrize("skeleton", SKELETONS)
def test_its_cost_is_what_torch_counts(skeleton: str, block: str) -> None:
    stages = len(SKELETONS[skeleton].stages)
    network = Architecture(
        skeleton=skeleton, depth=(2,) * stages, planes=8, width=3, scale=2, block=block
    )
    assert cost(network, image_size=33) == counted_by_torch(network, 33)
    by_name = cost(
        dataclasses.replace(network, block="res2net").name, image_size=33, block=block
    )
    assert by_name == cost(network, image_size=33)


def test_its_modules_and_their_own_tensors_come_from_the_seed(block: str) -> None:
    before = torch.random.get_rng_state()
    one, same, other = (build("res2net11_3w2s_4p", block=block, seed=s) for s in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    gains = [module.layer1[0].gain.gain for module in (one, same, other)]
    assert gains[0] == gains[1] != gains[2]
    one(torch.randn(2, 3, 8, 8)).sum().backward()
    assert all(p.grad is not None for p in one.parameters())


def test_its_paths_are_its_own(block: str) -> None:
    network = Architecture(depth=(1, 1, 1), block=block)
    assert network_paths(network) == {3: 2**3}  # the stem is 3 wide, nothing after it is wider


def test_its_name_leads_back_where_the_block_is_given(block: str) -> None:
    network = Architecture(depth=29, width=24, scale=4, block=block)
    assert network.name.startswith("res2net29_24w4s_block-BLOCK-")
    assert not set(network.name) & set('/\\: <>"|?*')
    assert parse(network.name, block=block) == network
    assert parse("29d-1c-24w-4s", block=block) == network
    with pytest.raises(
        ArchitectureError, match="a user-defined block, and no block is given; give"
    ):
        parse(network.name)
    with pytest.raises(ArchitectureError, match="and 'depthwise' is another"):
        parse(network.name, block="depthwise")


def test_the_block_is_part_of_what_a_network_is(block: str) -> None:
    ours = Architecture(width=24)
    theirs = dataclasses.replace(ours, block=block)
    separable = dataclasses.replace(ours, block="depthwise")
    assert len({ours, theirs, separable, Architecture(width=24, block="res2net")}) == 3
    assert (ours.name, separable.name) == ("resnet29_24w", "resnet29_24w_depthwise")
    # Records of before the field have no such key.
    fields = dataclasses.asdict(ours)
    del fields["block"]
    assert Architecture(**fields) == ours


def test_one_that_cannot_be_had_is_refused_where_it_is_needed(tmp_path: Path) -> None:
    gone = Architecture(block=f"{tmp_path}/gone.py:BLOCK")  # a journal may outlive the file
    for use in (cost, build, network_paths):
        with pytest.raises(ArchitectureError, match=r"block: .*there is no file .*gone.py"):
            use(gone)
    with pytest.raises(ArchitectureError, match="'vgg' is not known; write one of: res2net, d"):
        Architecture(block="vgg")
    with pytest.raises(ArchitectureError, match="block: 3 is not known"):
        Architecture(block=3)


def test_a_path_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = written(tmp_path)
    monkeypatch.chdir(tmp_path)
    relative = os.path.relpath(block.rpartition(":")[0])
    assert cost("29d-6c-4s", block=f"{relative}:BLOCK") == cost("29d-6c-4s", block=block)


TINY = "res2net11_2w2s_2p_4classes"
LINEAR = ("self.widen = nn.Conv2d(inner, position.out, 1)",
          "self.widen = nn.Conv2d(inner, position.out, 1)\n"
          "        self.gate = nn.Linear(position.out, position.out, bias=False)")  # fmt: skip
FORGETS = ("nn.init.normal_(self.gain)", "pass")
INHERITS = ("self.gain = Gain()",
            "self.gain = Gain()\n        self.norm = Norm(position.out)")  # fmt: skip
NORM = (
    "class Mine(",
    """class Norm(nn.BatchNorm2d):
    def __init__(self, channels):
        super().__init__(channels)
        self.more = nn.Parameter(torch.ones(channels))


class Mine(""",
)


def test_a_linear_layer_without_a_bias_is_initialised(tmp_path: Path) -> None:
    network = build(TINY, block=written(tmp_path, LINEAR))
    assert all(tensor.isfinite().all() for tensor in network.state_dict().values())


@pytest.mark.parametrize(
    ("changes", "which"),
    [([FORGETS], "Gain leaves its tensor 'gain' without"),
     ([NORM, INHERITS], "Norm leaves its tensor 'more' without")],
)  # fmt: skip
def test_a_tensor_that_is_left_unset_is_named(
    tmp_path: Path, changes: list[tuple[str, str]], which: str
) -> None:
    """Its memory would hold anything, and often enough something that trains."""
    with pytest.raises(ArchitectureError, match=which):
        build(TINY, block=written(tmp_path, *changes))
