"""The card of laws says what holds, what does not and why, and what is left out."""

from pathlib import Path

import pytest

from analysis.cards.laws import laws_card
from analysis.runs.run import read_run
from search.study.events import Started
from tests.analysis.made import AXES, OVERRIDES, made, network, seeded
from tests.analysis.questions.test_tradeoffs import by_law
from tests.analysis.studied import write_run


@pytest.mark.slow
def test_laws_rates_and_rules_are_said(tmp_path: Path) -> None:
    def one_fails(started: Started) -> float | None:
        bad = started.network().layers == 56 and started.repeat == 0
        return None if bad else by_law(started)

    card = laws_card(read_run(write_run(tmp_path, one_fails)))
    said = "\n".join(card.sentences)
    assert "Scale: error follows a " in said
    assert "Rate: x2 in scale, which costs x1.75, buys what x" in said
    assert "Rule: x2 multiply-adds: scale x2" in said
    (left_out,) = [one for one in card.sentences if one.startswith("In no law")]
    assert left_out.endswith("the remaining seeds are the better ones: resnext56_6c24w.")
    drawn, fitted = card.shown
    assert set(drawn.table["dimension"]) == {"scale", "cardinality", "depth"}
    assert set(fitted.table["dimension"]) <= set(drawn.table["dimension"])
    assert card.claims == ()


def test_runs_without_a_base_or_an_error_are_refused(tmp_path: Path) -> None:
    plain = laws_card(made(tmp_path / "plain", seeded(), *OVERRIDES))
    assert "lacks the trait axes" in plain.refused
    rows = [
        {"network": network(2, depth=20, scale=scale), "seed": 1,
         "metrics": {"val_score": float(scale), "test_score": float(scale)}}
        for scale in (1, 2, 3)
    ]  # fmt: skip
    scored = made(tmp_path / "scored", rows, "task=tests.analysis.foreign:Scored", text=AXES)
    assert "is no error in percent" in laws_card(scored).refused
