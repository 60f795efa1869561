"""Tests of a planned number of seeds are not made of runs that are looked at on the way."""

import json
from pathlib import Path

import numpy as np

from analysis.cards.networks_compared import compared_card
from analysis.cards.overlay import overlay_card
from analysis.questions.looks import why_untested
from analysis.runs.run import Run, read_run
from search.schema.seals import sealed_document
from tests.analysis.made import OVERRIDES, made, network, seeded


def added(run: Run) -> Run:
    path = run.folder / "manifest.json"
    noted = json.loads(path.read_text())
    noted["starts"] = [noted["starts"][0] | {"seeds": 1}, noted["starts"][0] | {"seeds": 3}]
    path.write_text(sealed_document(noted))
    return read_run(run.folder)


def test_what_was_planned_is_tested_and_nothing_else(tmp_path: Path) -> None:
    planned = made(tmp_path / "a", seeded(), *OVERRIDES)
    under_way = made(tmp_path / "b", seeded(), "search.trials=4", "search.seeds=3")
    assert why_untested(planned) == ""
    assert why_untested(under_way).startswith("not all trials have ended, and a test")
    assert "not all trials of tiny have ended" in why_untested(planned, under_way)
    always = made(tmp_path / "c", seeded(), *OVERRIDES, "analysis.stopping=always_valid")
    assert why_untested(always).startswith("seeds may be added after a look")
    later = added(planned)
    assert why_untested(later).startswith("seeds were added after a look")


def test_a_sample_that_grew_after_a_look_is_not_tested_as_one(tmp_path: Path) -> None:
    run = made(tmp_path, seeded(), *OVERRIDES)
    path = run.folder / "manifest.json"
    noted = json.loads(path.read_text())
    first = noted["starts"][0]
    noted["starts"] = [first | {"trials": 2}, first]
    path.write_text(sealed_document(noted))
    grown = read_run(run.folder)
    assert why_untested(grown) == "", "where the seeds are the sample"
    assert why_untested(grown, sampled=True).startswith("networks were added after a look")


def test_the_card_of_ranks_has_no_p_then(tmp_path: Path) -> None:
    planned = compared_card(made(tmp_path / "a", seeded(), *OVERRIDES))
    assert "Friedman's test" in " ".join(planned.sentences)
    card = compared_card(made(tmp_path / "b", seeded(), "search.trials=4", "search.seeds=3"))
    said = " ".join(card.sentences)
    assert "nothing is tested, for not all trials have ended" in said
    assert "Friedman" not in said
    assert "cannot be told" not in said


def test_distributions_have_no_p_then(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    runs = [
        made(
            tmp_path / name,
            [
                {"network": network(width), "seed": 0, "val_error": error}
                for width, error in enumerate(rng.uniform(low, low + 9, 12), 1)
            ],
            f"search.trials={trials}",
        )
        for name, low, trials in (("a", 10, 12), ("b", 40, 12), ("c", 70, 13))
    ]
    planned = overlay_card(runs[:2])
    assert planned.claims
    assert "p < 0.001 after Holm" in " ".join(planned.sentences)
    card = overlay_card([runs[0], runs[2]])
    said = " ".join(card.sentences)
    assert not card.claims
    assert "Nothing is tested, for not all trials of" in said
    assert "p " not in said.replace("up to ", "")
    assert "p" not in {column.key for column in card.shown[1].columns}
