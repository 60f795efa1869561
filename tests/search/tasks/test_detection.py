"""Detection: torchvision's own detectors with our backbone, scored as pycocotools scores."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import Tensor, nn
from torchvision.models import resnet50
from torchvision.models.detection import FasterRCNN, MaskRCNN
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

import search
from analysis.cards.pictured import pictured_card
from analysis.questions.pictured import pictured
from analysis.runs.run import read_run
from res2net import Architecture, build, parse
from res2net.backbone import Backbone
from search.scenes.random_scenes import random_scenes
from search.scenes.scene import Part, Scene
from search.schema.yaml import ConfigError
from search.study.events import Ended
from search.study.journal import read
from search.tasks.base import DivergedError
from search.tasks.detection.models import Pyramid, make_detector
from search.tasks.detection.scoring import average_precision
from search.tasks.detection.task import detection
from search.tasks.frozen import StillNorm, freeze
from tests.search.spaces import resolved_of
from tests.search.tasks.dense import Listed

ROOT = Path(__file__).parents[3]
PRECISION = {"detection": "bf16", "instances": "fp32"}
TINY: dict[str, Any] = {
    "study": "scenes",
    "network": {
        "skeleton": "imagenet", "planes": 4, "depth": [[1, 1, 1, 1]], "width": 2, "scale": 2,
    },
    "data": {"name": "digit_scenes", "validation": 6, "train": 8, "test": 6},
    "task": {"name": "detection", "channels": 8, "hidden": 16, "sampled": 16},
    "training": {"epochs": 2, "batch_size": 4, "lr": 1e-3, "optimizer": "adamw",
                 "precision": "fp32"},
    "search": {"sampler": "grid"},
}  # fmt: skip


def targets(masks: bool) -> list[dict[str, Tensor]]:
    boxes = torch.tensor([[4.0, 6.0, 30.0, 40.0], [30.0, 20.0, 60.0, 62.0]])
    one: dict[str, Tensor] = {"boxes": boxes, "labels": torch.tensor([1, 3])}
    if masks:
        one["masks"] = torch.zeros(2, 64, 64, dtype=torch.uint8)
        one["masks"][0, 8:38, 6:28] = one["masks"][1, 22:60, 34:58] = 1
    return [one]


@pytest.mark.parametrize("masks", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_with_resnet_50_it_is_torchvision_s_own_detector(tmp_path: Path, masks: bool) -> None:
    torch.manual_seed(0)
    theirs_body = resnet50(weights=None)
    torch.save(theirs_body.state_dict(), tmp_path / "resnet50.pth")
    layers = {f"layer{n}": str(n - 1) for n in range(1, 5)}
    pyramid = BackboneWithFPN(
        theirs_body, layers, [256, 512, 1024, 2048], 256, LastLevelMaxPool()
    )
    kind = MaskRCNN if masks else FasterRCNN
    theirs = kind(pyramid, num_classes=6, min_size=64, max_size=128)
    ours = make_detector(
        parse("ResNet-50"),
        classes=5,
        side=64,
        pyramid=Pyramid(256, 1024, 512),
        masks=masks,
        seed=0,
    )
    body = ours.backbone.body
    loaded = build("ResNet-50", features=(1, 2, 3, 4), weights=tmp_path / "resnet50.pth")
    body.load_state_dict(loaded.state_dict())
    heads = {k: v for k, v in theirs.state_dict().items() if ".body." not in k}
    missing, unexpected = ours.load_state_dict(heads, strict=False)
    assert not unexpected
    assert all(".body." in name for name in missing)
    image = [torch.rand(3, 64, 64)]
    losses = []
    for detector in (theirs, ours):
        detector.train()
        torch.manual_seed(1)  # which boxes are sampled
        losses.append(detector(image, targets(masks)))
    assert losses[0].keys() == losses[1].keys()
    for name, loss in losses[0].items():
        torch.testing.assert_close(losses[1][name], loss, rtol=1e-4, atol=1e-6)
    found = []
    for detector in (theirs, ours):
        detector.eval()
        with torch.no_grad():
            found.append(detector(image)[0])
    assert len(found[0]["boxes"])
    for name, values in found[0].items():
        torch.testing.assert_close(found[1][name], values, rtol=1e-3, atol=1e-3)


def made_up(count: int) -> list[tuple[dict[str, Tensor], dict[str, Tensor]]]:
    """Predictions near the truth, some of them wrong, of objects of all sizes."""
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(count):
        number = int(rng.integers(1, 6))
        corners = rng.uniform(0, 200, (number, 2))
        sides = np.exp(rng.uniform(np.log(10), np.log(200), (number, 2)))
        boxes = np.concatenate([corners, corners + sides], axis=1)
        labels = rng.integers(1, 4, number)
        true = {
            "boxes": torch.tensor(boxes, dtype=torch.float32),
            "labels": torch.tensor(labels),
            "iscrowd": torch.tensor(rng.random(number) < 0.1),
            "area": torch.tensor(sides.prod(1), dtype=torch.float32),
        }
        guessed = boxes + rng.normal(0, 6, boxes.shape)
        guessed[:, 2:] = np.maximum(guessed[:, 2:], guessed[:, :2] + 1)
        wrong = rng.random(number) < 0.2
        predicted = {
            "boxes": torch.tensor(guessed, dtype=torch.float32),
            "labels": torch.tensor(np.where(wrong, labels % 3 + 1, labels)),
            "scores": torch.tensor(rng.random(number), dtype=torch.float32),
        }
        pairs.append((predicted, true))
    return pairs


def by_pycocotools(
    pairs: list[tuple[dict[str, Tensor], dict[str, Tensor]]], *, scale: float
) -> dict[str, float]:
    images = [{"id": at, "height": 2000, "width": 2000} for at in range(len(pairs))]
    truth, results = [], []
    for at, (predicted, true) in enumerate(pairs):
        for box, label, crowd, area in zip(
            true["boxes"], true["labels"], true["iscrowd"], true["area"], strict=True
        ):
            truth.append(
                {"id": len(truth) + 1, "image_id": at, "bbox": xywh(box, scale),
                 "category_id": int(label), "iscrowd": int(crowd),
                 "area": float(area) * scale**2}
            )  # fmt: skip
        for box, label, score in zip(*predicted.values(), strict=True):
            results.append(
                {"image_id": at, "bbox": xywh(box, scale), "category_id": int(label),
                 "score": float(score)}
            )  # fmt: skip
    coco = COCO()
    coco.dataset = {
        "images": images, "annotations": truth,
        "categories": [{"id": label, "name": str(label)} for label in (1, 2, 3)],
    }  # fmt: skip
    coco.createIndex()
    judged = COCOeval(coco, coco.loadRes(results), "bbox")
    judged.evaluate()
    judged.accumulate()
    judged.summarize()
    names = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")
    found = dict(zip(names, 100 * judged.stats[:6], strict=True))
    return found | {"ar": 100 * judged.stats[8]}


def xywh(box: Tensor, scale: float) -> list[float]:
    x0, y0, x1, y1 = (scale * float(value) for value in box)
    return [x0, y0, x1 - x0, y1 - y0]


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_scores_are_pycocotools_own(scale: float) -> None:
    pairs = made_up(40)
    ours = average_precision(pairs, masks=False, scale=scale)
    theirs = by_pycocotools(pairs, scale=scale)
    assert ours == pytest.approx(
        {k: v if v >= 0 else None for k, v in theirs.items()}, abs=1e-5
    )


def test_a_size_of_which_there_is_none_is_left_out() -> None:
    pairs = made_up(10)
    for predicted, true in pairs:
        for one in (predicted, true):
            one["boxes"][:, 2:] = one["boxes"][:, :2] + 20
        true["area"][:] = 400
        true["iscrowd"][:] = False
    scores = average_precision(pairs, masks=False, scale=1.0)
    assert scores["ap_small"] is not None
    assert scores["ap_medium"] is scores["ap_large"] is None


@pytest.mark.parametrize(
    "kind", [pytest.param(one, marks=pytest.mark.slow) for one in ("instances", "detection")]
)
def test_a_study_ends_and_an_interrupted_one_ends_the_same(tmp_path: Path, kind: str) -> None:
    space = TINY | {"task": {**TINY["task"], "name": kind}}
    space["training"] = {**TINY["training"], "precision": PRECISION[kind]}
    whole = ends(
        search.run_study(space, out=tmp_path / "whole", inline=True, quiet=True).folder
    )

    class StopError(Exception):
        pass

    def stop(event: Any) -> None:
        if getattr(event, "epoch", 0) == 1:
            raise StopError

    with pytest.raises(StopError):
        search.run_study(space, out=tmp_path / "cut", inline=True, quiet=True, on_event=stop)
    again = ends(search.run_study(space, out=tmp_path / "cut", inline=True, quiet=True).folder)
    assert again == whole
    assert whole[0].keys() >= {"val_ap", "test_ap", "test_ap50"}
    (seen,) = pictured(read_run(tmp_path / "whole"))
    for one in seen.scenes:
        said = one.predicted
        assert said.boxes is not None
        assert said.labels is not None
        assert (said.masks is not None) == (kind == "instances")
        assert len(said.boxes) == len(said.labels)
        assert ((said.labels >= 0) & (said.labels < 10)).all()
    draw = pictured_card(read_run(tmp_path / "whole")).shown[0].draw
    assert draw is not None
    assert draw().axes


def ends(folder: Path) -> list[dict[str, float]]:
    return [one.metrics for one in read(folder) if isinstance(one, Ended)]


def test_frozen_stages_and_norms_stay_as_they_are() -> None:
    network = build(
        Architecture(skeleton="imagenet", planes=4, depth=(1, 1, 1, 1), width=2, scale=2),
        features=(1, 2, 3, 4),
    )
    assert isinstance(network, Backbone)
    freeze(network, stages=2, norms="trained")
    trained = {name for name, one in network.named_parameters() if one.requires_grad}
    assert trained
    assert all(name.startswith(("layer2", "layer3", "layer4")) for name in trained)
    network.train()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    out = network(torch.rand(2, 3, 64, 64))
    sum(one.sum() for one in out.values()).backward()
    changed = {k for k, v in network.state_dict().items() if not torch.equal(v, before[k])}
    assert changed
    assert all(name.startswith(("layer2", "layer3", "layer4")) for name in changed)
    freeze(network, stages=0, norms="frozen")
    network.train()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    network(torch.rand(2, 3, 64, 64))
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())
    norms = [one for one in network.modules() if isinstance(one, nn.BatchNorm2d)]
    assert all(isinstance(one, StillNorm) for one in norms)


@pytest.mark.parametrize("masks", [False, True])
def test_nothing_found_is_no_precision_and_not_unknown(masks: bool) -> None:
    none: dict[str, Tensor] = {
        "boxes": torch.zeros(0, 4),
        "labels": torch.zeros(0, dtype=torch.long),
        "scores": torch.zeros(0),
        "masks": torch.zeros(0, 64, 64, dtype=torch.bool),
    }
    (true,) = targets(masks)
    pair = (none, true | {"area": torch.tensor([600.0, 1100.0])})
    scores = average_precision([pair, pair], masks=masks, scale=1.0)
    assert scores["ap"] == scores["ap_small"] == 0
    assert scores["ap_large"] is None


def test_what_is_wrongly_seen_in_an_image_without_objects_counts() -> None:
    """Of masks as of boxes: one right answer, and three surer ones where nothing is."""
    mask = torch.zeros(1, 64, 64, dtype=torch.bool)
    mask[0, 8:38, 6:28] = True
    seen = {
        "boxes": torch.tensor([[6.0, 8.0, 28.0, 38.0]]),
        "labels": torch.ones(1, dtype=torch.long),
        "masks": mask,
    }
    there = seen | {"area": torch.tensor([660.0]), "iscrowd": torch.zeros(1, dtype=torch.bool)}
    empty = {key: value[:0] for key, value in there.items()}
    pairs = [(seen | {"scores": torch.tensor([0.5])}, there)]
    pairs += [(seen | {"scores": torch.tensor([0.9])}, empty)] * 3
    boxes, masks = (average_precision(pairs, masks=one, scale=1.0) for one in (False, True))
    assert boxes["ap"] == pytest.approx(25)
    assert masks == pytest.approx(boxes)


def detector_of(**changes: Any) -> Any:
    network = Architecture(skeleton="imagenet", planes=4, depth=(1, 1, 1, 1), width=2, scale=2)
    given = {"classes": 3, "side": 320, "pyramid": Pyramid(8, 16, 16), "masks": True, "seed": 0}
    return make_detector(changes.pop("network", network), **given | changes)


@pytest.mark.parametrize("phase", ["found", "proposed"])
def test_in_bf16_boxes_are_no_coarser_than_pixels(phase: str) -> None:
    """In numbers of 8 bits they would lie 2 px apart from 256 px on, and their scores tie."""
    detector = detector_of().eval()
    seen: list[Any] = []
    if phase == "proposed":
        detector.rpn.register_forward_hook(lambda *call: seen.extend(call[2][0]))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        torch.manual_seed(0)
        detector.roi_heads.score_thresh = 0.0
        (found,) = detector([torch.rand(3, 320, 320)])
    boxes = found["boxes"] if phase == "found" else torch.stack(seen)
    assert boxes.dtype == torch.float32
    assert (boxes != boxes.bfloat16()).float().mean() > 0.5
    assert len(found["scores"].unique()) > 0.9 * len(found["scores"])
    assert found["masks"].dtype == torch.float32


@pytest.mark.parametrize("place", ["backbone.body", "roi_heads.box_predictor"])
def test_what_is_no_number_is_not_taken_for_something_unsure(place: str) -> None:
    detector = detector_of(side=64).eval()
    with torch.no_grad():
        next(detector.get_submodule(place).parameters()).fill_(torch.nan)
        with pytest.raises(DivergedError, match="not finite"):
            detector([torch.rand(3, 64, 64)])


def test_every_stage_of_another_stride_is_looked_at() -> None:
    """Big-Little has two of stride 16, of which the last one counts."""
    network = Architecture(skeleton="biglittle", depth=(2, 2, 2, 1), planes=4, width=2)
    detector = detector_of(network=network)
    strides = [detector.backbone.body.strides[key] for key in detector.backbone.levels[:-1]]
    assert strides == [8, 16, 32]
    levels = detector.backbone(torch.rand(1, 3, 128, 128))
    assert [128 // level.shape[-1] for level in levels.values()] == [8, 16, 32, 64]


@pytest.mark.parametrize(
    "kind",
    [pytest.param("detection", marks=pytest.mark.slow), "instances"],  # boxes, and more
)
def test_fp64_trains_and_is_scored(tmp_path: Path, kind: str) -> None:
    space = TINY | {"task": {**TINY["task"], "name": kind}}
    space["training"] = {**TINY["training"], "precision": "fp64", "epochs": 1}
    found = search.run_study(space, out=tmp_path, inline=True, quiet=True)
    assert ends(found.folder)[0].keys() >= {"val_ap", "test_ap"}


def test_where_all_is_crowd_nothing_can_be_learned(tmp_path: Path) -> None:
    plan = resolved_of(tmp_path, (ROOT / "spaces/digits_detection.yaml").read_text()).plan
    splits = random_scenes(plan.data, train=4, held_out=2)
    crowd = Crowded([splits.train[row] for row in range(4)])
    with pytest.raises(ConfigError, match="none of the 4 scenes to train on has an object"):
        detection(
            plan,
            root="",
            device=torch.device("cpu"),
            images=replace(splits, train=Part(crowd, range(4))),
        )


class Crowded(Listed):
    """Scenes whose objects are crowds."""

    def __getitem__(self, index: int) -> Scene:
        scene = super().__getitem__(index)
        assert scene.labels is not None
        return replace(scene, crowd=np.ones(len(scene.labels), bool))
