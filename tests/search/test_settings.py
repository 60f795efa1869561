"""Trials with settings of their own are the trials that a study of these settings has."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import search
from analysis.report import main as report
from analysis.runs.networks import networks
from analysis.runs.run import read_run
from analysis.summary import summarise
from search.images.splits import resized
from search.study.events import Ended, Started
from search.study.journal import read
from tests.search.images.trees import plant

DIGITS: dict[str, Any] = {
    "study": "settings",
    "network": {"planes": 2, "depth": 11, "width": 2, "scale": [1, 2]},
    "data": {"name": "digits", "validation": 100, "train": 100},
    "training": {"epochs": 2, "batch_size": 50, "lr": 0.1, "precision": "fp32"},
    "search": {"sampler": "grid"},
}


def ends(folder: Path) -> dict[tuple[str, float], dict[str, float]]:
    """The metrics at the end of each trial, by network and learning rate."""
    started: dict[int, Started] = {}
    found = {}
    for record in read(folder):
        if isinstance(record, Started):
            started[record.trial] = record
        elif isinstance(record, Ended):
            one = started[record.trial]
            rate = one.own.get("lr", 0.1)
            found[one.network().name, round(rate, 6)] = record.metrics
    return found


def run(folder: Path, **sections: dict[str, Any]) -> Path:
    space = {key: {**value, **sections.get(key, {})} if isinstance(value, dict) else value
             for key, value in DIGITS.items()}  # fmt: skip
    return search.run_study(space, out=folder, inline=True, quiet=True).folder


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(
        tmp_path_factory.mktemp("tuned") / "run",
        training={"lr": [0.05, 0.1]},
        search={"tune": ["lr"], "seeds": 2},
    )


def test_a_tuned_rate_trains_as_if_it_were_the_recipe_s(tmp_path: Path, tuned: Path) -> None:
    plain = ends(run(tmp_path / "plain", search={"seeds": 1}))
    there = {
        (one.network().name, one.own["lr"]): end.metrics for one, end in first_trials(tuned)
    }
    assert {rate for _, rate in there} == {0.05, 0.1}
    for (name, rate), metrics in plain.items():
        assert there[name, rate] == metrics
        assert there[name, 0.05] != metrics


def first_trials(folder: Path) -> list[tuple[Started, Ended]]:
    records = list(read(folder))
    ends = {one.trial: one for one in records if isinstance(one, Ended)}
    return [
        (one, ends[one.trial]) for one in records if isinstance(one, Started) and one.is_try
    ]


def test_tables_and_report_are_of_the_best_rate_of_each(tmp_path: Path, tuned: Path) -> None:
    run = read_run(tuned)
    assert run.finished
    assert len(run.trials) == 2 * (2 + 1)
    means = networks(run).set_index("name")
    assert len(means) == 2
    for name, rows in run.trials.groupby("name"):
        tries = rows[rows["repeat"] == 0]
        best = tries.loc[tries["val_error_pct"].idxmin()]
        others = rows[rows["repeat"] > 0]
        assert set(others["lr"]) == {best["lr"]}
        values = [best["val_error_pct"], *others["val_error_pct"]]
        assert means.loc[name, "seeds"] == 2
        assert means.loc[name, "val_mean"] == pytest.approx(np.mean(values))
    table = pd.read_csv(summarise(tuned)["trials"])
    assert sorted(table["lr"].unique()) == [0.05, 0.1]
    page = tmp_path / "report.html"
    assert report([str(tuned), "--out", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "the best by validation of 2 tries with the first seed" in text
    assert "lr 0.05, 0.1 (tuned inside each network" in text
    assert "lr tuned inside each network: 4 trials of 2 tries a network" in text
    assert "mathdefault" not in text


def test_the_weights_of_the_best_try_are_kept_and_load(tuned: Path) -> None:
    run = read_run(tuned)
    best = networks(run)["name"].iloc[0]
    kept = sorted(path.name for path in (tuned / "networks").glob("*.safetensors"))
    assert len(kept) == 2, "the best network: its best try, and the other seed"
    assert all(name.startswith(best) for name in kept)
    about = next((tuned / "networks").glob("*try*.json"))
    held = json.loads(about.read_text(encoding="utf-8"))
    tries = run.trials[(run.trials["name"] == best) & (run.trials["repeat"] == 0)]
    assert held["settings"]["lr"] == tries.loc[tries["val_error_pct"].idxmin(), "lr"]
    assert search.architecture_of(about).name == best


def test_a_rate_by_rule_trains_as_if_it_were_the_recipe_s(tmp_path: Path) -> None:
    ruled = ends(run(tmp_path / "rule", network={"depth": [11, 20]},
                     training={"lr": {"rule": "depth", "lr": 0.1, "depth": 11}}))  # fmt: skip
    deep = next(rate for name, rate in ruled if "20" in name)
    assert deep == pytest.approx(0.1 * (11 / 8) ** -1.5, abs=1e-6)
    plain = ends(run(tmp_path / "plain", network={"depth": 20},
                     training={"lr": 0.1 * (11 / 8) ** -1.5}))  # fmt: skip
    for (name, _), metrics in plain.items():
        assert ruled[name, deep] == metrics


def test_a_resolution_of_several_trains_as_if_it_were_alone(tmp_path: Path) -> None:
    one = {"scale": 2}
    several = run(tmp_path / "several", network={"resolution": [6, 8, 11], **one})
    for side in (6, 8, 11):
        alone = ends(run(tmp_path / str(side), network={"resolution": side, **one}))
        there = {
            one.network().name: end.metrics
            for one, end in first_trials(several)
            if one.settings["resolution"] == side
        }
        assert there == {name: metrics for (name, _), metrics in alone.items()}
    usual = ends(run(tmp_path / "usual", network=one))
    assert usual == ends(tmp_path / "8"), "at their own side images are as they are"


@pytest.mark.parametrize("side", [5, 8, 13, 32])
def test_images_are_resized_as_pillow_does(side: int) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, 16, 16, 3), dtype=np.uint8)
    made, _ = resized((images, np.zeros(20, np.int64)), side)
    for image, one in zip(images, made, strict=True):
        pillow = Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR)
        away = np.abs(np.asarray(pillow, int) - one.astype(int))
        assert away.max() <= 1


@pytest.mark.slow
def test_a_tree_is_seen_at_each_resolution_as_if_it_were_alone(tmp_path: Path) -> None:
    root = plant(tmp_path / "tree", ["cat", "dog"], train=24, val=8, side=32)
    tree = {"name": "imagefolder", "root": str(root), "validation": 8, "train": 40}
    recipe = {"batch_size": 20}
    several = run(
        tmp_path / "several", network={"resolution": [16, 24]}, data=tree, training=recipe
    )
    for side in (16, 24):
        seen = tree | {"resolution": side}
        alone = ends(run(tmp_path / str(side), data=seen, training=recipe))
        there = {
            (one.network().name, 0.1): end.metrics
            for one, end in first_trials(several)
            if one.settings["resolution"] == side
        }
        assert there == alone
