"""What a network costs with its head, against torch's own counter on what the task builds."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from analysis.runs.run import read_run
from res2net import Architecture, build
from res2net.features import feature_maps
from res2net.plugins import PluginError
from res2net.skeletons import SKELETONS
from search import run_study
from search.plan import picture
from search.scenes.random_scenes import random_scenes
from search.schema.study_plan import StudyPlan
from search.schema.yaml import ConfigError
from search.space.load import load_space
from search.space.resolve import Resolved, resolve
from search.tasks.base import make_task
from tests.res2net.strategies import architectures
from tests.search.spaces import resolved_of

SPACES = Path(__file__).parents[3] / "spaces"
SPACE = """\
study: models
network:
  skeleton: {skeleton}
  planes: 4
  depth: {depth}
  width: [2, 3]
  scale: [1, 2]
{resolution}
data: {{name: digit_scenes, validation: 6, train: 12, test: 8}}
task: {task}
training: {{epochs: 1, batch_size: 4}}
search: {{sampler: grid}}
"""
SMALL = [  # a task with its options, the side of images, a skeleton and its depth
    ("{name: segmentation, channels: 6}", 64, "imagenet", 14),
    ("{name: segmentation, channels: 10, output_stride: 8}", 40, "imagenet", 26),
    ("{name: saliency, channels: 5}", 50, "imagenet", 14),
    ("{name: saliency, channels: 5}", 37, "cifar", 11),
    ("{name: saliency, channels: 3}", 70, "dla", "[[1, 1, 2, 1]]"),
    ("{name: saliency, channels: 3}", 70, "biglittle", "[[2, 2, 2, 1]]"),
    ("{name: keypoints, channels: 7, window: [96, 64]}", None, "imagenet", 14),
    ("{name: keypoints, channels: 7, window: [50, 75]}", None, "dla", "[[1, 1, 1, 1]]"),
    ("{name: keypoints, channels: 3, window: [21, 17]}", None, "cifar", 11),
    ("{name: detection, channels: 8, hidden: 12}", 96, "imagenet", 14),
    ("{name: detection, channels: 4, hidden: 9}", 90, "imagenet", 26),
    ("{name: detection, channels: 4, hidden: 9, norms: frozen}", 64, "cifar", 11),
    ("{name: instances, channels: 8, hidden: 12}", 96, "imagenet", 14),
    ("{name: instances, channels: 8, hidden: 12, proposals: 30}", 96, "imagenet", 14),
    pytest.param(  # the ones above cover the task, saliency the skeleton
        ("{name: instances, channels: 5, hidden: 6}", 100, "biglittle", "[[2, 2, 2, 1]]"),
        marks=pytest.mark.slow,
    ),
]
TABLES = [
    "voc_segmentation",
    "saliency",
    "coco_keypoints",
    "voc_detection",
    "coco_detection",
    "coco_instances",
]
CPU = torch.device("cpu")


def built(found: Resolved, network: Architecture) -> nn.Module:
    """What the task of a study builds of a network."""
    images = random_scenes(found.plan.data, train=4, held_out=2)
    task = make_task(found.plan, "", device=CPU, images=images)
    return task.network(network, seed=0).eval()


def size_of(plan: StudyPlan) -> tuple[int, int]:
    """Height and width of what the network is given."""
    side = plan.data.resolution
    return tuple(plan.task.options.get("window", (side, side)))


def multiply_adds(*parts: tuple[nn.Module, Any]) -> int:
    """Half of the operations that torch counts while modules are called."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        for module, given_ in parts:
            module(given_)
    flops = counter.get_total_flops()
    assert flops % 2 == 0
    return flops // 2


def scored(network: Any, size: tuple[int, int], boxes: int = 1000) -> int:
    """Multiply-adds of one image as it is scored; a detector keeps all boxes that it may."""
    if not hasattr(network, "roi_heads"):
        return multiply_adds((network, torch.rand(1, 3, *size)))
    network.rpn.nms_thresh = network.roi_heads.nms_thresh = 1.0
    network.rpn.min_size = network.roi_heads.score_thresh = -1.0
    seen: list[int] = []
    network.roi_heads.box_head.register_forward_hook(lambda *call: seen.append(len(call[2])))
    counted = multiply_adds((network, [torch.rand(3, *size)]))
    assert seen == [boxes], "so many were looked at"
    return counted


def by_parts(network: Any, size: tuple[int, int]) -> int:
    """The same on the meta device, where a detector cannot choose its boxes."""
    network = network.to("meta")
    if not hasattr(network, "roi_heads"):
        return multiply_adds((network, torch.empty(1, 3, *size, device="meta")))
    size = tuple(-(-side // 32) * 32 for side in size)
    image = torch.empty(1, 3, *size, device="meta")
    features: dict[str, Tensor] = network.backbone(image)
    heads, channels = network.roi_heads, network.backbone.out_channels
    boxes = torch.empty(1000, channels, 7, 7, device="meta")
    parts = [
        (network.backbone, image),
        (network.rpn.head, list(features.values())),
        (heads.box_head, boxes),
        (heads.box_predictor, heads.box_head(boxes)),
    ]
    if heads.has_mask():
        cut = torch.empty(100, channels, 14, 14, device="meta")
        parts += [(heads.mask_head, cut), (heads.mask_predictor, heads.mask_head(cut))]
    return multiply_adds(*parts)


def small(folder: Path, *case: Any) -> Resolved:
    task, side, skeleton, depth = case
    seen = f"  resolution: [{side}]" if side else ""
    text = SPACE.format(task=task, resolution=seen, skeleton=skeleton, depth=depth)
    return resolved_of(folder, text)


@pytest.mark.parametrize("case", SMALL, ids=lambda case: f"{case[0]} {case[1]} {case[2]}")
def test_the_model_of_each_task_is_what_torch_counts(case: Any, tmp_path: Path) -> None:
    found = small(tmp_path, *case)
    boxes = found.plan.task.options.get("proposals") or 1000
    for candidate in range(0, len(found.survey), 3):
        network = built(found, found.survey.architecture(candidate))
        assert found.survey.model(candidate) == {
            "model_params": sum(p.numel() for p in network.parameters()),
            "model_macs": scored(network, size_of(found.plan), boxes),
        }


@pytest.mark.parametrize(  # voc_detection and the small ones above cover the others
    "name",
    [n if n == "voc_detection" else pytest.param(n, marks=pytest.mark.slow) for n in TABLES],
)
def test_so_is_that_of_the_networks_of_the_paper(name: str) -> None:
    """ResNet-50 and Res2Net-50 26w4s, at the sizes and with the options of its tables."""
    found, checked = resolve(*load_space(SPACES / f"{name}.yaml"), unseen=True), 0
    for candidate in range(len(found.survey)):
        if found.survey.architecture(candidate).width in (26, 64):
            network = built(found, found.survey.architecture(candidate))
            parameters = sum(p.numel() for p in network.parameters())
            counted = by_parts(network, size_of(found.plan))
            model = found.survey.model(candidate)
            assert model == {"model_params": parameters, "model_macs": counted}
            checked += 1
    assert checked == 2


@pytest.mark.parametrize("case", [SMALL[0], SMALL[6], SMALL[10]])
def test_the_network_alone_is_counted_as_its_task_shows_it_images(
    case: Any, tmp_path: Path
) -> None:
    """Windows as they are; a detector's image of 90 px filled up to 96."""
    found = small(tmp_path, *case)
    high, wide = size_of(found.plan)
    if "detection" in case[0]:
        high, wide = 96, 96
    stride = 16 if "segmentation" in case[0] else None
    network = found.survey.architecture(1)
    backbone = build(network, features=(1, 2, 3, 4), output_stride=stride, device="meta").eval()
    images = torch.empty(1, 3, high, wide, device="meta")
    assert found.survey.cost(1).macs == multiply_adds((backbone, images))


@pytest.mark.parametrize("skeleton", SKELETONS)
@settings(max_examples=4, deadline=None, derandomize=True)
@given(st.data(), st.integers(8, 70), st.integers(8, 70))
def test_features_are_told_as_they_come_out(
    skeleton: str, data: st.DataObject, high: int, wide: int
) -> None:
    network = data.draw(architectures(skeletons=(skeleton,), largest=4, planes=3))
    stride = data.draw(st.none() | st.sampled_from(SKELETONS[skeleton].output_strides))
    told = feature_maps(network, image_size=(high, wide), output_stride=stride)
    stages = range(1, len(told) + 1)
    backbone = build(network, features=stages, output_stride=stride, device="meta").eval()
    put_out = backbone(torch.empty(1, network.channels, high, wide, device="meta"))
    shapes = [tuple(feature.shape[1:]) for feature in put_out.values()]
    assert [(one.channels, *one.size) for one in told] == shapes
    assert [one.stride for one in told] == list(backbone.strides.values())


def test_a_budget_of_the_model_is_hard(tmp_path: Path) -> None:
    """Widths are solved for it, and what is outside is rejected by its name."""
    text = SPACE.format(
        task="{name: saliency, channels: 5}", resolution="", skeleton="imagenet", depth=14
    ).replace("width: [2, 3]", "width: fill")
    found = resolved_of(tmp_path, text, "budget={model_macs: {max: 4M}}")
    assert len(found.survey) == 2
    size = size_of(found.plan)
    for candidate in range(2):
        network = found.survey.architecture(candidate)
        wider = replace(network, width=network.widths[0] + 1)
        assert scored(built(found, network), size) <= 4_000_000
        assert scored(built(found, wider), size) > 4_000_000
    with pytest.raises(ConfigError, match=r"none of 2 candidates fits; nearest .* model_macs"):
        resolved_of(tmp_path, text, "budget={model_macs: {max: 10K}}")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("budget={model_macs: {max: 1G}}",), r"budget.model_macs: is macs for classification"),
        (
            ("search.objectives=[val_error, model_params]",),
            r"search.objectives: .*contains model_params, which is params for classification",
        ),
    ],
)
def test_a_classifier_is_the_whole_model(
    overrides: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    text = SPACE.format(task="classification", resolution="", skeleton="cifar", depth=11)
    text = text.replace(
        "digit_scenes, validation: 6, train: 12, test: 8", "digits, validation: 100"
    )
    with pytest.raises(ConfigError, match=message):
        resolved_of(tmp_path, text, *overrides)


def test_keypoints_see_windows_and_no_squares(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"network.resolution: .*task.window"):
        small(tmp_path, "{name: keypoints}", 64, "imagenet", 14)


def test_a_study_compares_by_it_and_its_table_has_it(tmp_path: Path) -> None:
    space = {
        "study": "points",
        "network": {"skeleton": "cifar", "planes": 2, "depth": 11, "width": [1, 2], "scale": 2},
        "budget": {"model_params": {"max": "1M"}},
        "data": {"name": "digit_scenes", "validation": 6, "train": 8, "test": 6},
        "task": {"name": "keypoints", "channels": 4, "window": [32, 24]},
        "training": {"epochs": 1, "batch_size": 4, "precision": "fp32"},
        "search": {"sampler": "grid", "objectives": ["val_ap", "model_macs"]},
    }
    run_study(space, out=tmp_path / "run", inline=True)
    trials = read_run(tmp_path / "run").trials
    found = resolved_of(tmp_path, json.dumps(space))
    for row in trials.itertuples():
        (candidate,) = [at for at in range(2) if found.survey.name(at) == row.name]
        model = {"model_params": row.model_params, "model_macs": row.model_macs}
        assert model == found.survey.model(candidate)
        assert row.macs == found.survey.cost(candidate).macs < row.model_macs
    shown = Console(file=io.StringIO(), width=200)
    shown.print(picture(found.plan, found.survey, gpu=0))
    text = shown.file.getvalue()
    assert "model MACs" in text
    assert f"{trials['model_macs'].max():,}" in text


FOREIGN = """
from search.tasks.keypoints.task import Keypoints

class Mine(Keypoints):
    metrics = (("ap", "maximize", "%"),)
    needs = ("boxes", "keypoints")
    backbone = True
"""
COUNT = """
    @staticmethod
    def count_head(tally, seen, options):
        tally.conv(seen.features[-1].channels, options["times"] * seen.joints, size=seen.image)
"""


def test_somebody_s_own_task_may_say_what_its_head_costs(tmp_path: Path) -> None:
    def found(text: str, name: str) -> Resolved:
        (tmp_path / name).write_text(FOREIGN + text)
        return small(tmp_path, f"{{name: '{tmp_path / name}:Mine', times: 3}}", 10, "cifar", 11)

    counted = found(COUNT, "good.py").survey
    head = 16 * 4 * 15  # channels of the last stage by three for each of five joints
    cost, model = counted.cost(0), counted.model(0)
    assert model == {"model_params": cost.params + head, "model_macs": cost.macs + 100 * head}
    silent = found("", "silent.py")
    assert silent.survey.model(0) == {}
    asked = SPACE.format(
        task=f"{tmp_path / 'silent.py'}:Mine", resolution="", skeleton="cifar", depth=11
    )
    with pytest.raises(ConfigError, match=r"budget.model_macs: cannot be count.*count_head"):
        resolved_of(tmp_path, asked, "budget={model_macs: {max: 1G}}")
    for wrong, said in (
        (COUNT.replace('options["times"]', "missing"), "count_head raises NameError"),
        (COUNT.replace('options["times"]', "0.5"), "count_head returns .*; return whole"),
    ):
        with pytest.raises(PluginError, match=said):
            found(wrong, f"bad{len(wrong)}.py")
