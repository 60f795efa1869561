"""Whether networks are a sample is asked of traits, and silence is no permission."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.questions.distribution import distributions
from analysis.questions.importance import importance
from analysis.questions.sampling import no_sample
from analysis.runs.run import Run, RunError
from search.study.events import Status
from tests.analysis.made import made, network

ALL = [(width, scale) for width in (1, 2, 3, 4) for scale in (1, 2, 3)]
# Twelve candidates, of which `ALL` names each.
GRID = """\
study: grid
network: {planes: 2, depth: 11, scale: [1, 2, 3], width: [1, 2, 3, 4]}
data: {name: synthetic, validation: 64}
training: {epochs: 1, batch_size: 32, lr: 0.1, precision: fp32}
search: {sampler: grid}
"""


BANDS = "budget={macs: {bands: [60K, 240K], tolerance: 50%}}"


def tried(folder: Path, *overrides: str, shapes: Any = ALL, **ended: Any) -> Run:
    rows = [
        {"network": network(width, scale=scale), "val_error": 90.0 - 9 * scale + width} | ended
        for width, scale in shapes
    ]
    return made(folder, rows, *overrides, text=GRID)


def foreign(name: str, trials: int = 12) -> tuple[str, str]:
    return f"search.sampler=tests.analysis.foreign:{name}", f"search.trials={trials}"


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("search.sampler=random", "search.trials=12"),
        foreign("fair"),
        ("search.sampler=random", "search.trials=12", "training.epochs=5", "scheduler=asha"),
    ],
    ids=["whole grid", "random", "foreign and uniform", "a scheduler that stopped none"],
)
def test_a_sample_is_one(overrides: tuple[str, ...], tmp_path: Path) -> None:
    run = tried(tmp_path, *overrides)
    assert no_sample(run) == ""
    table = importance(run, rng=np.random.default_rng(0), resamples=2)
    assert table["dimension"].iloc[0] == "scale"


@pytest.mark.parametrize(
    ("overrides", "shapes", "reason"),
    [
        (foreign("silent"), ALL, "silent, which lacks the traits uniform and exhaustive"),
        (("search.trials=11",), ALL[:11], "11 of 12 candidates were tried"),
        ((), ALL[:11], "11 of 12 candidates were tried"),
        (("search.sampler=tpe", "search.trials=12"), ALL, "tpe, which looks at results"),
        (("search.sampler=axes",), ALL, "no combinations to explain"),
        (
            (
                "search.sampler=random",
                "search.trials=12",
                "training.epochs=5",
                "scheduler=asha",
            ),
            ALL[:11],
            r"may yet be stopped early \(asha: stops\)",
        ),
        (
            ("search.sampler=random", "search.trials=12", "search.warm_start=[runs/other]"),
            ALL,
            r"began with the results of other runs \(search.warm_start\)",
        ),
        (
            ("search.sampler=random", "search.per_band=3", BANDS),
            ALL[:6],
            r"as many networks from each band of the budget \(search.per_band: 3\)",
        ),
    ],
)
def test_what_is_no_sample_is_refused_with_the_reason(
    overrides: tuple[str, ...], shapes: Any, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match=reason):
        importance(tried(tmp_path, *overrides, shapes=shapes), rng=np.random.default_rng(0))


def test_stopped_trials_are_none_whatever_the_scheduler_says(tmp_path: Path) -> None:
    run = tried(tmp_path, "search.sampler=random", "search.trials=12", status=Status.PRUNED)
    assert "trials were stopped early, so what is left" in no_sample(run)


def test_bands_are_strata(tmp_path: Path) -> None:
    run = tried(tmp_path, "search.sampler=random", "search.per_band=3", BANDS, shapes=ALL[:6])
    assert no_sample(run)
    assert no_sample(run, of_sizes=True) == ""


def test_a_grid_under_way_is_a_part(tmp_path: Path) -> None:
    assert "0 of 12 candidates were tried" in no_sample(tried(tmp_path, status=None))


def test_an_earlier_version_did_not_say_how_many_candidates_there_are(tmp_path: Path) -> None:
    run = tried(tmp_path)
    older = run.manifest._replace(version=3)
    assert "did not write down how many" in no_sample(
        Run(folder=run.folder, manifest=older, trials=run.trials)
    )


KEEP = (
    "search.sampler=random",
    "search.trials=12",
    "zero_cost={scores: [naswot], keep: 25%, by: macs, after: 2}",
)


def judged(folder: Path, *overrides: str, latency: float = 1.0) -> Run:
    """Twelve networks, of which the last three were rejected, with so many ms of latency."""
    rows: list[dict[str, Any]] = [
        {"network": network(width, scale=scale), "scores": {"naswot": 1.0, "latency": 1.0},
         "val_error": 50.0 + width, "test_error": 50.0}
        for width, scale in ALL[:9]
    ]  # fmt: skip
    rows += [
        {"network": network(width, scale=scale), "status": Status.REJECTED,
         "scores": {"naswot": 1.0, "latency": latency}}
        for width, scale in ALL[9:]
    ]  # fmt: skip
    return made(folder, rows, *overrides, text=GRID)


def test_networks_that_a_score_left_are_no_sample(tmp_path: Path) -> None:
    said = no_sample(judged(tmp_path / "a", *KEEP))
    assert said == (
        "3 of its networks were not trained because of their macs (zero_cost.keep: 25%), so "
        "what is left is the best of what was sampled by that; run it without zero_cost.keep"
    )
    sizes = judged(tmp_path / "b", *KEEP, "search.sampler=stratified")
    assert no_sample(sizes, of_sizes=True) == said, "nor are they of each size"
    with pytest.raises(RunError, match="no sample of the space: 3 of its networks were not"):
        distributions(judged(tmp_path / "c", *KEEP), rng=np.random.default_rng(0))


def test_what_a_measured_budget_rejects_is_no_part_of_the_space(tmp_path: Path) -> None:
    budget = "budget.latency={max: 5ms}"
    assert no_sample(judged(tmp_path / "alone", *KEEP[:2], budget, latency=9.0)) == ""
    assert no_sample(judged(tmp_path / "both", *KEEP, budget, latency=9.0)) == ""
    quick = judged(tmp_path / "quick", *KEEP, budget, latency=4.0)
    assert no_sample(quick).startswith("3 of its networks were not trained")
