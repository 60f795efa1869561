"""Trained weights of any task reach the backbone of any other."""

import copy
import itertools
from importlib.util import find_spec

import pytest
import torch
from torch import nn

from res2net import Architecture, WeightsError, build
from search.engine.transfer import NoBackboneError, backbone_in, trained_backbone
from search.schema.tasks import TASKS as TASK_TABLE
from search.tasks.base import make_task
from tests.search.spaces import resolved_of
from tests.search.tasks.dense import TASKS, space_of

EVERY = TASKS | {
    "detection": "{name: detection, channels: 8, hidden: 16, frozen: 2, norms: frozen}",
    "instances": "{name: instances, channels: 8, hidden: 16}",
    "classification": "classification",
}
ALL_SHARE = Architecture(skeleton="imagenet", planes=2, depth=14, width=2, scale=2)
HERE = [task for task in EVERY if all(map(find_spec, TASK_TABLE[task].libraries))]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[nn.Module]]:
    """Two networks of each task that is installed."""
    folder = tmp_path_factory.mktemp("spaces")
    found = {}
    for task in HERE:
        text = space_of(task, EVERY)
        if task == "classification":
            text = text.replace("digit_scenes, validation: 6, train: 12, test: 8", "synthetic")
            text = text.replace("name: synthetic", "name: synthetic, validation: 64")
        plan, survey = resolved_of(folder, text)
        made = make_task(plan, "nowhere", device=CPU)
        found[task] = [made.network(survey.architecture(0), seed=seed) for seed in (1, 2)]
    return found


@pytest.mark.parametrize(("source", "task"), [*itertools.product(HERE, HERE)])
def test_every_tensor_of_the_backbone_arrives_and_nothing_else_changes(
    networks: dict[str, list[nn.Module]], source: str, task: str
) -> None:
    trained = trained_backbone(ALL_SHARE, networks[source][0].state_dict(), "source")
    network = copy.deepcopy(networks[task][1])
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    backbone = backbone_in(network, trained)
    backbone.load_state_dict(trained, strict=False)
    there = backbone_in(networks[source][0], trained).state_dict()
    assert all(torch.equal(backbone.state_dict()[key], there[key]) for key in trained)
    mine = {id(tensor) for key, tensor in backbone.state_dict(keep_vars=True).items()
            if key in trained}  # fmt: skip
    after = network.state_dict(keep_vars=True)
    others = [key for key, tensor in after.items() if id(tensor) not in mine]
    assert others
    assert all(torch.equal(after[key], before[key]) for key in others)


def test_a_network_of_another_shape_is_named_by_its_first_difference() -> None:
    one, other = (Architecture(depth=11, planes=2, width=width, scale=2) for width in (2, 3))
    with pytest.raises(WeightsError, match=r"(?s)not the weights of res2net11_3w2s.*layer1"):
        trained_backbone(other, build(one).state_dict(), "source")


def test_no_backbone_or_two_are_refused() -> None:
    architecture = Architecture(depth=11, planes=2, width=2)
    trained = build(architecture, features=(1, 2, 3)).state_dict()
    with pytest.raises(NoBackboneError, match="contains no backbones of"):
        backbone_in(nn.Sequential(nn.Linear(3, 3)), trained)
    two = nn.ModuleList(build(architecture, features=(1, 2, 3)) for _ in range(2))
    with pytest.raises(NoBackboneError, match="contains 2 backbones of"):
        backbone_in(two, trained)
