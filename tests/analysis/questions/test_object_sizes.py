"""Gains by the size of objects: what was put in is found, seeds cancel, all at once."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from analysis.cards.deck import cards_of
from analysis.cards.object_sizes import object_sizes_card
from analysis.questions.object_sizes import GROWTH, by_object_size
from analysis.runs.run import Run, RunError
from res2net import Architecture, cost
from tests.analysis.made import made

SPACE = """\
study: sizes
network:
  skeleton: cifar
  planes: 4
  depth: [11, 20]
  scale: [1, 2, 4]
  width: {from: 1, to: 60}
data: {name: digit_scenes, validation: 64}
task: {name: keypoints, window: [64, 64]}
training: {epochs: 1, batch_size: 32, lr: 0.1, precision: fp32}
search: {sampler: random, trials: 6, seeds: 4}
"""
BASE = {"small": 10.0, "medium": 30.0, "large": 50.0}
GAINS = {  # of each value of scale over 1
    1: {"small": 0.0, "medium": 0.0, "large": 0.0},
    2: {"small": 0.0, "medium": 1.0, "large": 2.0},
    4: {"small": 0.5, "medium": 2.0, "large": 6.0},
}


def alike(scale: int, depth: int) -> Architecture:
    """A network that costs what scale 1 of width 40 does, to 5 %."""

    def of(scale: int, width: int) -> Architecture:
        return Architecture(
            skeleton="cifar", planes=4, depth=depth, scale=scale, width=width, classes=10
        )

    wanted = cost(of(1, 40), image_size=96).macs
    return min(
        (of(scale, width) for width in range(1, 61)),
        key=lambda one: abs(cost(one, image_size=96).macs - wanted),
    )


def studied(folder: Path, *, noise: float = 0.2, seeds: int = 4, **changes: Any) -> Run:
    rng = np.random.default_rng(0)
    luck = {seed: 5 * rng.normal() for seed in range(seeds)}
    rows = []
    for depth in changes.get("depths", (11, 20)):
        for scale in (1, 2, 4):
            for seed in range(seeds):
                shared = luck[seed] + noise * 5 * rng.normal()  # by all sizes of a trial
                scores = {
                    size: BASE[size] + depth / 10 + GAINS[scale][size] + shared
                    + noise * rng.normal()
                    for size in changes.get("sizes", BASE)
                }  # fmt: skip
                metrics = {f"test_ap_{size}": value for size, value in scores.items()}
                metrics |= {f"val_ap_{size}": value for size, value in scores.items()}
                rows.append(
                    {"network": alike(scale, depth), "seed": seed, "repeat": seed,
                     "metrics": metrics | {"val_ap": 30.0, "test_ap": 30.0}}
                )  # fmt: skip
    return made(folder, rows, f"search.seeds={seeds}", text=SPACE)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return studied(tmp_path_factory.mktemp("sizes"))


def test_the_gains_of_each_size_and_their_growth_are_found(run: Run) -> None:
    found = by_object_size(run)
    assert found.dimension == "scale"
    assert found.score.name == "test ap"
    table = found.table.set_index(["size", "value"])
    assert list(dict.fromkeys(found.table["size"])) == ["small", "medium", "large", GROWTH]
    assert (table["pairs"] == 2).all(), "one of each depth"
    for (size, value), row in table.iterrows():
        gains = GAINS[int(value)]
        wanted = gains["large"] - gains["small"] if size == GROWTH else gains[size]
        assert row["low_all"] < wanted < row["high_all"]
        assert row["low_all"] < row["low"] < row["high"] < row["high_all"]
    growth = table.loc[GROWTH]
    assert growth.loc["4", "p_all"] < 0.05
    # What the sizes of a trial share is five times as large, and cancels.
    width = table["high"] - table["low"]
    assert width[GROWTH, "4"] < 0.5 * width["large", "4"]


def test_the_growth_is_that_of_differences_within_trials(tmp_path: Path) -> None:
    """Of one depth and two values it is a paired t-test of differences."""
    run = studied(tmp_path, depths=(11,))
    whole = run.whole()
    difference = whole["test_ap_large_pct"] - whole["test_ap_small_pct"]
    by_scale = {s: difference[whole["scale"] == s].to_numpy() for s in (1, 2)}
    row = by_object_size(run).table.set_index(["size", "value"]).loc[(GROWTH, "2")]
    assert row["difference"] == pytest.approx((by_scale[2] - by_scale[1]).mean())
    pooled = whole.assign(score=difference).pivot(
        index="name", columns="repeat", values="score"
    )
    rest = pooled.sub(pooled.mean(axis=1), axis=0).sub(pooled.mean(axis=0), axis=1)
    rest += pooled.to_numpy().mean()
    sigma = np.sqrt((rest.to_numpy() ** 2).sum() / 6)
    reach = stats.t.ppf(0.975, 6) * sigma * np.sqrt(2 / 4)
    assert row["high"] - row["difference"] == pytest.approx(reach)


def test_the_card_answers_in_words_and_a_figure(run: Run) -> None:
    card = object_sizes_card(run)
    said = " ".join(card.sentences)
    assert "Scale 4 minus 1, at equal multiply-adds, gains +" in said
    assert "for small objects" in said
    assert re.search(r"By scale 4 large objects gain \+5\.\d+ \(\+.*\) more than small", said)
    assert [claim.split(" large")[0] for claim in card.claims] == ["By scale 2", "By scale 4"]
    ax = card.shown[0].draw().axes[0]
    assert ax.get_ylabel().startswith("points of test ap gained")
    assert [t.get_text() for t in ax.get_xticklabels()][:3] == ["small", "medium", "large"]
    assert "object-sizes" in [one.name for one in cards_of(run)]


def test_a_size_that_no_object_has_is_left_out(tmp_path: Path) -> None:
    run = studied(tmp_path, sizes=("small", "medium"))
    found = by_object_size(run)
    assert set(found.table["size"]) == {"small", "medium"}
    assert "whether these gain more is not known" in " ".join(object_sizes_card(run).sentences)


def test_what_does_not_tell_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="objects of one size alone"):
        by_object_size(studied(tmp_path / "one", sizes=("small",)))
    with pytest.raises(RunError, match=r"run it with --set search.seeds=2 or more"):
        by_object_size(studied(tmp_path / "seed", seeds=1))
    rows = [
        {"network": Architecture(depth=11, planes=4, scale=scale, width=16, classes=10),
         "metrics": {f"{split}_ap{size}": 30.0 for split in ("val", "test")
                     for size in ("", "_small", "_large")}}
        for scale in (1, 4)
    ]  # fmt: skip
    with pytest.raises(RunError, match=r"no two networks with the same multiply-adds"):
        by_object_size(made(tmp_path / "dear", rows, text=SPACE))


def test_a_task_without_sizes_is_not_asked(tmp_path: Path) -> None:
    rows = [{"network": Architecture(depth=11, planes=2, width=2, classes=4)}]
    run = made(tmp_path, rows)
    with pytest.raises(RunError, match="reports no score by the size of objects"):
        by_object_size(run)
    assert "object-sizes" not in [card.name for card in cards_of(run)]


def test_two_seeds_of_few_networks_do_not_hide_the_gains(tmp_path: Path) -> None:
    """Their intervals are far wider than that; it is said that they leave the axes."""
    run = studied(tmp_path, seeds=2, noise=3.0, depths=(11,))
    (shown,) = object_sizes_card(run).shown
    ax, table = shown.draw().axes[0], shown.table
    span = table["difference"].max() - table["difference"].min()
    assert (table["high_all"] - table["low_all"]).max() > 10 * span
    assert ax.get_ylim()[1] - ax.get_ylim()[0] < 3 * span
    assert "some are wider than the axes" in ax.get_xlabel()
