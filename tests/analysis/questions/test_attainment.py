"""The front's knee and what seeds attain, of runs whose fronts are known."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.cards.attainment import attainment_card
from analysis.plots.attainment import draw_attainment
from analysis.plots.pareto import draw_pareto
from analysis.questions.attainment import SHARES, attained
from analysis.questions.knee import knee_of
from analysis.runs.networks import by_network
from analysis.runs.run import Run, RunError
from analysis.statistics.mixed import residuals
from search.study.events import Status
from tests.analysis.made import made, network

# Dearer networks are better, and the third has most of it.
ERRORS = (60.0, 45.0, 25.0, 22.0, 20.0)


def tried(folder: Path, *, noise: float, seeds: int = 4, more: tuple[str, ...] = ()) -> Run:
    rng = np.random.default_rng(1)
    rows: list[dict[str, Any]] = [
        {"network": network(1 + place), "seed": seed, "repeat": seed, "test_error": error,
         "val_error": float(error + rng.normal(0, noise))}
        for place, error in enumerate(ERRORS)
        for seed in range(seeds)
    ]  # fmt: skip
    return made(folder, rows, "search.trials=5", f"search.seeds={seeds}", *more)


def test_the_knee_is_named_and_marked(tmp_path: Path) -> None:
    run = tried(tmp_path, noise=0.3)
    found = knee_of(run)
    assert found.name == network(3).name
    assert found.share > 0.99, "so little noise moves nothing"
    assert f"is {network(3).name}: it is the same network in 100% of 500" in found.said
    axes = draw_pareto(by_network(run), run.compared, title="known", knee=found).axes[0]
    (mark,) = [line for line in axes.lines if line.get_label() == "_knee"]
    assert "knee\nin 100% of redraws" in [text.get_text() for text in axes.texts]
    score = float(np.asarray(mark.get_ydata())[0])
    mean = run.trials.loc[run.trials["name"] == found.name, "val_error_pct"].mean()
    assert score == pytest.approx(100 - mean)


def test_noise_makes_a_knee_unsure_and_one_seed_says_nothing(tmp_path: Path) -> None:
    noisy = knee_of(tried(tmp_path / "noisy", noise=25.0))
    assert noisy.share < 0.9 or not noisy.name
    alone = knee_of(tried(tmp_path / "alone", noise=0.0, seeds=1))
    assert alone.name == network(3).name
    assert np.isnan(alone.share)
    assert "one seed each does not say how surely" in alone.said
    assert alone.label == "knee"
    three = knee_of(
        tried(tmp_path / "3", noise=1, more=("search.objectives=[val_error,macs,params]",))
    )
    assert "The knee is of two objectives; here are 3." in three.said
    empty = knee_of(
        made(tmp_path / "empty", [{"network": network(1), "status": Status.FAILED}])
    )
    assert not empty.name


def test_surfaces_are_drawn_as_they_are_attained(tmp_path: Path) -> None:
    run = tried(tmp_path, noise=2.0)
    found = attained(run)
    assert (found.seeds, found.networks) == (4, 5)
    table = run.trials.pivot_table(index="macs", columns="repeat", values="val_error_pct")
    lowest = table.cummin()
    for share in SHARES:
        # With four seeds a quarter is one, half two, three quarters three of them.
        mine = lowest.apply(np.sort, axis=1, result_type="expand")[round(4 * share) - 1]
        rows = found.surfaces[found.surfaces["share"] == share]
        corners = mine[mine < mine.shift(fill_value=np.inf)]
        assert rows["macs"].tolist() == corners.index.tolist()
        assert rows["val_error_pct"].tolist() == pytest.approx(corners.tolist())
    axes = draw_attainment(found, title="known").axes[0]
    middle = next(one for one in axes.lines if "50%" in str(one.get_label()))
    x, y = (np.asarray(data) for data in middle.get_data())
    rows = found.surfaces[found.surfaces["share"] == 0.5]
    for at, error in zip(rows["macs"], rows["val_error_pct"], strict=True):
        held = y[np.isclose(x, at / 1e3)]
        assert held.max() == pytest.approx(100 - error), "from its cost on it holds"
    assert x[-1] == pytest.approx(run.trials["macs"].max() / 1e3)


def test_a_cost_that_should_be_large_is_drawn_from_its_best_end(tmp_path: Path) -> None:
    """Both objectives the other way round give the same corners, mirrored."""
    chosen = ("task=tests.analysis.foreign:Scored", "search.objectives=[val_score, macs]")
    rows = [
        {"network": network(1 + place), "seed": seed, "repeat": seed,
         "metrics": {"val_score": (100 - error + seed) / 100, "val_time": 1.0}}
        for place, error in enumerate(ERRORS)
        for seed in range(3)
    ]  # fmt: skip
    run = made(tmp_path, rows, "search.trials=5", "search.seeds=3", *chosen)
    surface = attained(run).surfaces
    best = surface[surface["share"] == 0.25]["val_score"]
    assert best.tolist() == pytest.approx([0.42, 0.57, 0.77, 0.80, 0.82])
    assert attained(run).always == 5


def test_few_seeds_and_lost_ones_are_refused(tmp_path: Path) -> None:
    card = attainment_card(tried(tmp_path / "two", noise=1, seeds=2))
    assert "run it with --set search.seeds=3" in card.refused
    more = ("search.objectives=[val_error,macs,params]",)
    with pytest.raises(RunError, match="are of two objectives, and there are 3"):
        attained(tried(tmp_path / "three", noise=1, more=more))


def test_what_a_seed_adds_to_all_alike_moves_no_knee(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"network": network(1 + place), "seed": seed, "repeat": seed, "test_error": error,
         "val_error": error + 12.0 * seed + 0.01 * (place * seed % 3)}
        for place, error in enumerate(ERRORS)
        for seed in range(4)
    ]  # fmt: skip
    found = knee_of(made(tmp_path, rows, "search.trials=5", "search.seeds=4"))
    assert (found.name, found.share) == (network(3).name, 1.0)


def test_of_many_networks_with_one_seed_each_nothing_is_made_of_seeds() -> None:
    """It takes no more than the trials that have something to say of chance."""
    names = [*map(str, range(20_000)), "0", "1", "2"]
    seeds = [0] * 20_000 + [1] * 3
    scores = np.random.default_rng(0).normal(0, 1, (20_003, 2))
    left = residuals(names, seeds, scores)
    assert left.shape == (6, 2)
    assert np.abs(left).min() > 0
    assert residuals(names[:20_000], seeds[:20_000], scores[:20_000]).shape == (0, 2)
