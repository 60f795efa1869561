"""Images of one channel, or of four: in plans, costs, batches, kept weights and pictures."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from analysis.inside import cam
from res2net import build, cost
from search import architecture_of, run_study, train_network
from search.images.preparing import make_ready
from search.images.splits import in_channels, load
from search.schema.yaml import ConfigError
from search.space.load import load_space
from search.tasks.classification import Classification
from tests.search.images.trees import plant
from tests.search.spaces import resolved_of, write

SPACE: dict[str, Any] = {
    "study": "grey",
    "network": {"planes": 2, "depth": 11, "width": 2, "scale": [1, 2]},
    "data": {"name": "digits", "validation": 40, "train": 80, "channels": 1},
    "training": {"epochs": 1, "batch_size": 8, "lr": 0.1, "precision": "fp32"},
    "search": {"sampler": "grid"},
}
FOUR = '''
import numpy as np

class Four:
    """Random images of four channels."""

    classes, image_size, train, test, channels = 3, 8, 60, 9, 4

    def load(self, root):
        rng = np.random.default_rng(0)
        return tuple(
            (rng.integers(0, 256, (n, 8, 8, 4), np.uint8), np.arange(n) % 3)
            for n in (self.train, self.test)
        )

DATA = Four()
'''


def test_a_study_in_grey_runs_and_its_weights_are_used(tmp_path: Path) -> None:
    run_study({**SPACE, "keep": {"best": 1}}, out=tmp_path / "run", inline=True)
    (about,) = (tmp_path / "run" / "networks").glob("*.json")
    network = architecture_of(about)
    assert network.channels == 1
    assert "1channels" in network.name
    weights = about.with_suffix(".safetensors")
    module = build(network, weights=weights).eval()
    assert module(torch.zeros(1, 1, 8, 8)).shape == (1, 10)
    assert len(json.loads(about.read_text())["mean"]) == 1
    trials = [
        json.loads(line) for line in (tmp_path / "run/journal.jsonl").read_text().splitlines()
    ]
    counted = {line["name"]: line["params"] for line in trials if line["event"] == "start"}
    for name, params in counted.items():
        assert params == sum(p.numel() for p in build(name).parameters()) == cost(name).params
    Image.new("RGB", (20, 10), "red").save(tmp_path / "red.png")
    asked = [network.name, "--weights", str(weights), str(tmp_path / "red.png")]
    assert cam.main([*asked, "--out", str(tmp_path / "cam.png")]) == 0


def small_and_grey(path: Path) -> np.ndarray:
    small = Image.open(path).resize((16, 16), Image.Resampling.BILINEAR)
    return np.asarray(small.convert("L"), np.float64)


def test_grey_is_what_pillow_makes_of_the_colours(tmp_path: Path) -> None:
    """Of arrays and of a tree, cached or decoded anew; mean and std are those of its pixels."""
    plant(tmp_path, ("a", "b"), train=6, val=2, side=20)
    for storage in ("cached", "decoded"):
        data = {
            "name": "imagefolder", "root": str(tmp_path), "resolution": 16, "resize": 16,
            "validation": 4, "channels": 1, "storage": storage,
        }  # fmt: skip
        plan = resolved_of(tmp_path, json.dumps({**SPACE, "data": data})).plan
        assert plan.data.channels == 1
        _, document = load_space(write(tmp_path, json.dumps({**SPACE, "data": data})))
        make_ready(plan.data, document, Console(quiet=True))
        splits = load(plan.data, tmp_path)
        rows = splits.train.rows
        task = Classification(plan.training, splits, device=torch.device("cpu"), resolution=16)
        (batch,) = task.batches(torch.Generator().manual_seed(0), start=0)
        assert batch.images.shape == (len(rows), 1, 16, 16)
        files = sorted((tmp_path / "train").glob("*/*"))
        grey = np.stack([small_and_grey(files[int(row)]) for row in rows])
        assert splits.mean.item() == pytest.approx(grey.mean(), rel=1e-6)
        assert splits.std.item() == pytest.approx(grey.std(), rel=1e-6)


def test_images_of_four_channels_come_from_somebody_s_data_set(tmp_path: Path) -> None:
    (tmp_path / "four.py").write_text(FOUR)
    data = {"name": f"{tmp_path / 'four.py'}:DATA", "validation": 12}
    result = run_study({**SPACE, "data": data}, out=tmp_path / "run", inline=True)
    assert len(result.trials) == 2
    assert all("4channels" in trial.started.name for trial in result.trials)
    with pytest.raises(
        ConfigError,
        match=r"data.channels: 3? ?is not a number of channels that .* have; write 4, ",
    ):
        run_study({**SPACE, "data": {**data, "channels": 3}}, out=tmp_path / "x", inline=True)
    jittered = {**SPACE["training"], "jitter": [0.4, 0, 0, 0]}
    with pytest.raises(ConfigError, match=r"training.jitter: is for colour images, .* 4 chan"):
        run_study(
            {**SPACE, "data": data, "training": jittered}, out=tmp_path / "x", inline=True
        )
    assert not (tmp_path / "x").exists()


def test_a_network_of_one_channel_is_trained_in_grey(tmp_path: Path) -> None:
    result = train_network(
        "res2net11_2w2s_2p_1channels",
        data={"name": "digits", "train": 80, "validation": 40},
        epochs=1,
        training={"batch_size": 40, "lr": 0.1},
        out=tmp_path / "run",
        inline=True,
    )
    (trial,) = result.trials
    assert trial.started.name == "res2net11_2w2s_2p_10classes_1channels"


def test_luma_of_arrays_is_pillow_s() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (5, 6, 6, 3), np.uint8)
    grey, _ = in_channels((images, np.zeros(5, np.int64)), 1)
    expected = [np.asarray(Image.fromarray(image).convert("L")) for image in images]
    assert np.array_equal(grey[..., 0], np.stack(expected))
