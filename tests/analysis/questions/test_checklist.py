"""Each item says what the run shows, and nothing that it does not."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.cards.checklist import checklist_card
from analysis.questions.best import best_networks
from analysis.questions.checklist import COLUMNS, ITEMS, checklist
from analysis.questions.practice import (
    MET,
    NOT_ASKED,
    NOT_KNOWN,
    NOT_MET,
    STATES,
    confirmed,
    over_average,
)
from analysis.runs.networks import averaged
from analysis.runs.run import Run, read_run
from search.schema.seals import sealed_document
from search.study.events import Status
from tests.analysis.made import AXES, OVERRIDES, made, network, seeded
from tests.analysis.questions.test_best import confirming

RANDOM = ("search.sampler=random", *OVERRIDES)


def answers(run: Run) -> dict[str, tuple[str, str]]:
    items = checklist(run)
    assert tuple(items) == COLUMNS
    assert len(items) == len(ITEMS)
    assert set(items["state"]) <= set(STATES)
    assert (items["evidence"].str.len() > 0).all()
    return {row.item: (row.state, row.evidence) for row in items.itertuples()}  # type: ignore[misc]  # untyped


def test_seeds_confirmation_and_weights_are_counted(tmp_path: Path) -> None:
    rows = [
        *seeded(),
        {"network": network(2), "phase": "confirm", "seed": 50, "val_error": 21.0},
        {"network": network(2), "phase": "confirm", "seed": 51, "val_error": 22.0},
    ]  # fmt: skip
    run = made(tmp_path, rows, *OVERRIDES, "confirm={top: 1, seeds: 2, epochs: 3}")
    before = answers(run)
    assert before["All networks are trained with the same seeds"] == (
        MET,
        "the same 3 seeds for each of 3 networks",
    )
    again = before["The network that is named is trained again with fresh seeds"]
    assert again == (MET, "1 network, 2 trials with fresh seeds")
    assert before["Means come with their variation"][0] == MET
    assert before["Trained weights are kept"][0] == NOT_MET
    (run.folder / "networks").mkdir()
    (run.folder / "networks" / "x.safetensors").touch()
    assert answers(run)["Trained weights are kept"] == (MET, "1 file in networks/")


@pytest.mark.parametrize(
    ("errors", "state", "said"),
    [
        ({1: [20.0, None]}, MET, "1 network, 1 trial with fresh seeds; 1 of 2 fresh seeds of"),
        ({1: [None, None]}, NOT_MET, "0 networks, 0 trials with fresh seeds; 2 of 2 fresh"),
        ({1: [None, None], 2: [20.0, 21.0]}, NOT_MET, "--retry failed"),
        ({2: [20.0]}, NOT_MET, ", which is named, is none of them; let the run go on"),
        ({}, NOT_MET, "no confirmation has ended yet; let the run go on"),
    ],
)
def test_a_confirmation_that_failed_is_no_missing_one(
    errors: dict[int, list[float | None]], state: str, said: str, tmp_path: Path
) -> None:
    found = confirmed(confirming(tmp_path, errors))
    assert found.state == state
    assert said in found.evidence
    assert "write confirm" not in found.evidence


def test_one_seed_is_said(tmp_path: Path) -> None:
    found = answers(made(tmp_path, seeded({1: [30.0], 2: [20.0]}), "search.trials=2"))
    for item in (
        "All networks are trained with the same seeds",
        "Means come with their variation",
        "The network that is named is trained again with fresh seeds",
    ):
        assert found[item][0] == NOT_MET
        assert "seeds: 3" in found[item][1]


def test_different_seeds_are_no_shared_ones(tmp_path: Path) -> None:
    found = answers(made(tmp_path, seeded()[:-1], *OVERRIDES))
    state, said = found["All networks are trained with the same seeds"]
    assert (state, said) == (
        NOT_MET,
        "networks have different seeds, up to 3; let the run go on",
    )
    state, said = found["The number of runs is given, failures among them"]
    assert (state, said) == (NOT_MET, "8 ok of 9 planned; let the run end")


def test_the_gain_over_the_average_is_by_hand(tmp_path: Path) -> None:
    """Of accuracies: (best - mean) / mean, the best chosen by validation, without its luck."""
    run = made(tmp_path, seeded(), *RANDOM)
    state, said = answers(run)["Improvement over the average random network"]
    # Test errors are 1.25 higher: means 32.75, 23.4167 and 51.5833, so 64.08 on average.
    mean = 100 - (32.75 + 70.25 / 3 + 154.75 / 3) / 3
    best = 100 - best_networks(run).set_index("name").loc[network(2).name, "test"]
    assert mean < best < 100 - 70.25 / 3
    assert state == MET
    assert said == (
        f"test accuracy (%): {best:.2f} of the network that validation chose (shrunken: "
        f"without the luck of being chosen), {mean:.2f} of the average of 3: "
        f"{100 * (best / mean - 1):+.1f} % relative"
    )


def test_the_best_of_equal_networks_gains_nothing(tmp_path: Path) -> None:
    """The best of 20 is 1.6 points better by luck; validation and test share it."""
    rng = np.random.default_rng(0)
    gains, lucky = [], []
    for place in range(4):
        rows = [
            {"network": network(w), "seed": i, "repeat": i,
             "val_error": error, "test_error": error + 0.3 * rng.normal()}
            for w in range(1, 21) for i in range(3) for error in [40 + 1.5 * rng.normal()]
        ]  # fmt: skip
        run = made(tmp_path / str(place), rows, *RANDOM, "search.trials=20", "search.seeds=3")
        state, said = over_average(run)
        assert state == MET
        gains.append(float(said.rsplit(": ", 1)[1].removesuffix(" % relative")))
        means = averaged(run)
        best = means["test"].iloc[means["val"].to_numpy().argmin()]
        lucky.append(100 * (means["test"].mean() - best) / (100 - means["test"].mean()))
    assert np.mean(lucky) > 2
    assert np.mean(gains) < 0.6 * np.mean(lucky)


def test_the_gain_of_a_score_without_a_unit_has_its_digits(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"network": network(width), "seed": seed, "repeat": seed,
         "metrics": {"val_score": 0.01 * width, "test_score": 0.00123 * width}}
        for width in (1, 2, 3) for seed in (0, 1)
    ]  # fmt: skip
    rows[0] = {"network": network(1), "seed": 0, "status": Status.FAILED}
    task = "task=tests.analysis.foreign:Scored"
    found = over_average(made(tmp_path, rows, *RANDOM, "search.seeds=2", task))
    assert "0.00369 of the network that validation chose" in found.evidence
    assert "0.003075 of the average of 2 that lost no seed: +20.0 %" in found.evidence


@pytest.mark.parametrize(
    ("sampler", "search", "again", "gain"),
    [
        ("random", NOT_ASKED, NOT_MET, MET),
        ("tpe", NOT_MET, NOT_MET, NOT_MET),
        ("grid", NOT_ASKED, NOT_ASKED, NOT_MET),
    ],
)
def test_what_is_asked_depends_on_the_sampler(
    sampler: str, search: str, again: str, gain: str, tmp_path: Path
) -> None:
    found = answers(made(tmp_path, seeded(), f"search.sampler={sampler}", *OVERRIDES))
    assert found["Compared with random search"][0] == search
    assert found["The search is repeated"][0] == again
    assert found["Improvement over the average random network"][0] == gain
    assert found["Ablation studies"][0] == NOT_MET
    assert found["The cost of tuning the recipe is reported"][0] == NOT_MET


def test_axes_take_dimensions_one_at_a_time(tmp_path: Path) -> None:
    rows = [{"network": network(2, depth=20), "seed": 1, "val_error": 50.0, "test_error": 50.0}]
    found = answers(made(tmp_path, rows, text=AXES))
    assert found["Ablation studies"][1].startswith("dimensions are taken one at a time, but")
    assert found["The search is repeated"][0] == NOT_ASKED


def noted(run: Run, **changes: Any) -> Run:
    """The run with another start of its command, that differs so."""
    path = run.folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["starts"][0] |= {"git_commit": "0" * 40}
    manifest["starts"].append(manifest["starts"][0] | changes)
    path.write_text(sealed_document(manifest), encoding="utf-8")
    return read_run(run.folder)


@pytest.mark.parametrize(
    ("changes", "item", "state", "part"),
    [
        ({}, "The code is released: its commit is known", MET, "commit 0000"),
        ({"git_commit": None}, "The code is released: its commit is known", NOT_KNOWN, "clone"),
        (
            {"git_commit": "1" * 40 + "-dirty"},
            "The code is released: its commit is known",
            NOT_MET,
            "commit before the first start",
        ),
        ({}, "All are trained with the same versions of software", MET, "torch "),
        (
            {"versions": {"torch": "1.0"}},
            "All are trained with the same versions of software",
            NOT_MET,
            "starts differ: torch 1.0; ",
        ),
        (
            {"versions": {}},
            "All are trained with the same versions of software",
            NOT_KNOWN,
            "recorded no versions",
        ),
        ({}, "All are trained on the same hardware", MET, "cpu; "),
        ({"cpus": 999}, "All are trained on the same hardware", NOT_MET, "999 CPUs"),
    ],
)
def test_starts_are_compared(
    changes: dict[str, Any], item: str, state: str, part: str, tmp_path: Path
) -> None:
    found = answers(noted(made(tmp_path, seeded(), *OVERRIDES), **changes))
    assert found[item][0] == state
    assert part in found[item][1]


def test_opening_the_test_images_is_held_against_the_run(tmp_path: Path) -> None:
    run = made(tmp_path, seeded(), *OVERRIDES)
    assert answers(run)["The test images are used once"][0] == MET
    (run.folder / "unsealed.json").write_text("[{}, {}]", encoding="utf-8")
    state, said = answers(run)["The test images are used once"]
    assert state == NOT_MET
    assert said.endswith("but opened 2 times for verdicts (unsealed.json)")
    (run.folder / "unsealed.json").write_text("[", encoding="utf-8")
    assert answers(run)["The test images are used once"][0] == NOT_KNOWN


def test_a_run_that_has_only_begun_is_answered(tmp_path: Path) -> None:
    found = answers(made(tmp_path, [{"network": network(1), "status": None}]))
    assert found["The cost of the whole search is reported"] == (
        NOT_KNOWN,
        "no trial has ended",
    )
    assert found["All networks are trained with the same seeds"][0] == NOT_KNOWN


def test_the_card_names_what_is_missing(tmp_path: Path) -> None:
    card = checklist_card(noted(made(tmp_path, seeded(), *OVERRIDES)))
    counts = card.shown[0].table["state"].value_counts()
    assert (
        f"Of {len(ITEMS)} items {counts[MET]} met, {counts[NOT_MET]} not met"
        in card.sentences[0]
    )
    assert card.sentences[1].startswith("Not met: Ablation studies; ")
    assert not card.claims
