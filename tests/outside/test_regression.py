"""A task of somebody else's on scenes: a number for each image, in one file."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from res2net.plugins import import_attribute
from search import run_study
from search.schema.yaml import ConfigError
from search.space.configuration import architecture_from_json
from search.study.manifest import read
from search.tasks.scenes import as_image, load_scenes, normalised
from tests.docs.examples import Example, examples, write_examples

FILE = "my_regression.py"
SOURCE: dict[str, Any] = {
    "study": "patterns",
    "network": {"skeleton": "cifar", "planes": 2, "depth": 11, "width": [1, 2]},
    "data": {"name": "synthetic", "validation": 64},
    "training": {"epochs": 1, "batch_size": 32, "precision": "fp32"},
    "search": {"sampler": "grid"},
    "keep": {"best": 2},
}

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_examples(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def example(folder: Path) -> Example:
    return next(one for one in examples() if one.file == FILE)


def study(example: Example, **changes: Any) -> dict[str, Any]:
    """The study of the example, of two networks of an epoch."""
    search = {"sampler": "grid", "trials": 2}
    network = example.space["network"] | {"depth": 11}
    training = example.space["training"] | {"epochs": 1}
    own = {"network": network, "search": search, "training": training}
    return example.space | own | changes


def test_its_score_is_that_of_its_weights(example: Example, folder: Path) -> None:
    """Loaded elsewhere they are as wrong on the same images as the study says."""
    result = run_study(study(example), out=folder / "run", inline=True)
    assert result.finished
    (path,) = result.weights
    about = json.loads(path.with_suffix(".json").read_text())
    assert about["task"] == "counting"
    architecture = architecture_from_json(about["architecture"])
    network = import_attribute(f"{FILE}:Counter")(architecture, seed=0).eval()
    network.load_state_dict(load_file(path))
    errors = []
    for row in range(len(part := load_scenes(result.plan, "").validation)):
        image = normalised(as_image(part[row]))[None]
        small = F.interpolate(image, (32, 32), mode="bilinear", antialias=True)
        with torch.no_grad():
            errors.append(abs(float(network(small)) - len(part[row].boxes)))
    assert sum(errors) / len(errors) == pytest.approx(
        about["metrics"]["val_absolute_error"], rel=1e-4
    )


@pytest.mark.slow
def test_stopped_it_goes_on_to_the_same_weights(example: Example, folder: Path) -> None:
    def stop(event: object) -> None:
        if type(event).__name__ == "Epoch":
            raise KeyboardInterrupt

    run_study(study(example), out=folder / "whole", inline=True)
    run_study(study(example), out=folder / "run", inline=True, on_event=stop)
    assert run_study(study(example), out=folder / "run", inline=True).finished
    (path,) = (folder / "whole" / "networks").glob("*.safetensors")
    ours, theirs = load_file(path), load_file(folder / "run" / "networks" / path.name)
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


@pytest.mark.slow
def test_it_can_begin_with_trained_weights(example: Example, folder: Path) -> None:
    run_study(SOURCE, out=folder / "source", inline=True)
    begun = study(example, transfer={"from": "source"})
    assert run_study(begun, out=folder / "run", inline=True).finished
    record = read(folder / "run")
    assert record is not None
    assert len(record.plan.transfer.files) == 2
    text = (folder / FILE).read_text(encoding="utf-8")
    other = "nn.Sequential(nn.Conv2d(3, 8, 3))"
    text = text.replace("backbone_of(architecture, seed=seed)", other)
    text = text.replace("*_, width = self.backbone.channels.values()", "width = 8")
    last = "last = self.backbone(images)"
    text = text.replace("*_, last = self.backbone(images).values()", last)
    (folder / "my_other.py").write_text(text, encoding="utf-8")
    begun |= {"task": {"name": "my_other.py:Counting"}}
    with pytest.raises(
        ValueError, match=r"my_other.py:Counting: its network contains no backb"
    ):
        run_study(begun, out=folder / "other", inline=True)
    assert not (folder / "other").exists()


def test_images_that_do_not_tell_what_it_needs_are_refused(
    example: Example, folder: Path
) -> None:
    with pytest.raises(ConfigError, match=r"'digits' has no boxes, which my_regression"):
        run_study(study(example, data={"name": "digits", "validation": 100}), inline=True)
