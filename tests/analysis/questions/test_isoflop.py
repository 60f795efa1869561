"""Runs of several lengths: compute is 3 forward passes, minima and law as known."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.cards.isoflop import isoflop_card
from analysis.pages.compare_page import compare_page
from analysis.pages.page import render
from analysis.questions.isoflop import isoflop, points
from analysis.runs.run import Run, RunError
from res2net import cost
from search.study.events import Status
from tests.analysis.made import Parsed, made, network

SPACE = """\
study: {name}
network: {{planes: 2, depth: 11, width: {{from: 1, to: 400}}}}
data: {{name: synthetic, validation: 64}}
training: {{epochs: {epochs}, batch_size: 32, lr: 0.1, precision: fp32}}
search: {{sampler: random, trials: 12}}
"""
LENGTHS = (1, 2, 4, 8, 16, 32, 64)
SIZES = 32e6 * 2.0 ** np.arange(-4, 5)
ALPHA, BETA = 0.5, 0.35


def width_of(size: float) -> int:
    widths = np.arange(1, 300)
    return int(widths[np.argmin(np.abs(np.log(WIDTH_MACS / size)))])


WIDTH_MACS = np.array([cost(network(w), image_size=32).macs for w in range(1, 300)])


def error_of(macs: float, images: float) -> float:
    return float(5 + 8 * (macs / 32e6) ** -ALPHA + 8 * (images / IMAGES / 8) ** -BETA)


IMAGES = 448  # of an epoch of the synthetic data, less 64


def trained(folder: Path, epochs: int, *overrides: str, noise: float = 0.02) -> Run:
    rng = np.random.default_rng(epochs)
    rows = []
    for size in SIZES:
        one = network(width_of(size))
        macs = cost(one, image_size=32).macs
        error = error_of(macs, epochs * IMAGES) + noise * rng.normal()
        rows.append(
            {"network": one, "val_error": error, "test_error": 50.0, "curve": [60.0] * epochs}
        )
    text = SPACE.format(name=folder.name, epochs=epochs)
    return made(folder, rows, *overrides, text=text)


def lengths(folder: Path) -> list[Run]:
    return [trained(folder / f"x{epochs}", epochs) for epochs in LENGTHS]


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    return lengths(tmp_path_factory.mktemp("five"))


def test_the_law_and_the_minima_are_the_known_ones(five: list[Run]) -> None:
    found = isoflop(five, rng=np.random.default_rng(0))
    assert len(found.points) == len(SIZES) * len(LENGTHS)
    assert found.law.low <= BETA / (ALPHA + BETA) <= found.law.high
    assert found.law.exponent == pytest.approx(BETA / (ALPHA + BETA), abs=0.03)
    assert found.frontier is not None
    assert found.frontier.exponent == pytest.approx(BETA / (ALPHA + BETA), abs=0.12)


@pytest.mark.slow
def test_the_card_shows_compute_three_times_the_forward_passes(five: list[Run]) -> None:
    card = isoflop_card(five)
    assert not card.claims
    budgets = next(one for one in card.shown if one.name == "isoflop-budgets").table
    table = points(five)
    forward = (table["macs"] * table["epochs"] * table["images"]).min()
    assert budgets["spent"].min() == pytest.approx(3 * forward, rel=0.1)
    dropped = (budgets["reason"] != "").sum()
    assert f"{dropped} budgets are left out, each with its reason below" in card.sentences[-1]
    page = Parsed(render(compare_page(five)))
    assert any("fewer than 5" in cell for row in page.tables["isoflop-budgets"] for cell in row)


def test_without_minima_the_law_stands_alone(five: list[Run]) -> None:
    card = isoflop_card([five[0], five[3], five[6]])
    said = " ".join(card.sentences)
    assert "By a joint law of 27 networks and lengths" in said
    assert "Minima at equal compute are not shown: " in said
    assert card.shown[0].draw is not None
    assert card.shown[0].draw().axes[0].get_title(loc="left") == "at equal length"


def test_networks_that_lost_a_seed_are_in_no_law(five: list[Run], tmp_path: Path) -> None:
    """Of the smallest one seed is left, and that one as good as none could be."""
    text = SPACE.format(name="lost", epochs=2).replace("trials: 12}", "trials: 12, seeds: 2}")
    shapes = [network(width_of(size)) for size in SIZES]
    rows: list[dict[str, Any]] = [
        {"network": one, "seed": seed, "repeat": seed, "test_error": 50.0,
         "val_error": error_of(cost(one, image_size=32).macs, 2 * IMAGES)}
        for one in shapes for seed in (0, 1)
    ]  # fmt: skip
    rows[0] |= {"val_error": 1.0}
    rows[1] = {"network": shapes[0], "seed": 1, "repeat": 1, "status": Status.DIVERGED}
    lost = made(tmp_path / "lost", rows, text=text)
    runs = [five[0], lost, *five[2:]]
    table = points(runs)
    assert f"{shapes[0].name} x2" not in {*table["network"]}
    assert f"{shapes[0].name} x1" in {*table["network"]}, "it lost none there"
    card = isoflop_card(runs)
    assert card.sentences[-1].startswith("1 network that lost a seed is left out of lost: ")
    every = made(tmp_path / "every", rows[:2], text=text)
    with pytest.raises(RunError, match="no network was trained whole without losing a seed"):
        points([every])


def test_what_cannot_be_asked_is_refused(five: list[Run], tmp_path: Path) -> None:
    with pytest.raises(
        RunError, match="all networks were trained for one length; run the same"
    ):
        points([five[0], trained(tmp_path / "again", 1)])
    other = trained(tmp_path / "recipe", 2, "training.lr=0.3")
    assert "trained by different recipes" in isoflop_card([five[0], other]).refused
    data = trained(tmp_path / "data", 2, "data.validation=32")
    assert "the runs saw different images" in isoflop_card([five[0], data]).refused
    assert "2 lengths are fewer than 3" in isoflop_card(five[:2]).refused
    rows = [{"network": network(w), "metrics": {"val_score": w / 9}} for w in (1, 2)]
    scored = made(tmp_path / "scored", rows, "task=tests.analysis.foreign:Scored")
    assert "is no error in percent" in isoflop_card([scored, scored]).refused
