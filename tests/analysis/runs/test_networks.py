"""Networks that lost a seed are in no average, and cards say how many."""

from pathlib import Path

import pytest

from analysis.cards.anytime import anytime_card
from analysis.cards.attainment import attainment_card
from analysis.cards.expected_best import expected_best
from analysis.cards.space import distribution
from analysis.questions.anytime import anytime
from analysis.runs.networks import averaged, left_out_words
from analysis.runs.run import Run, RunError
from search.study.events import Status
from tests.analysis.made import OVERRIDES, made, network, seeded


def lost(folder: Path, *places: int) -> Run:
    trials = seeded()
    for place in places:
        kept = ("network", "seed", "repeat")
        trials[place] = {key: trials[place][key] for key in kept} | {"status": Status.FAILED}
    return made(folder, trials, *OVERRIDES)


def test_the_survivors_are_in_no_average(tmp_path: Path) -> None:
    run = lost(tmp_path, 4)
    assert {*averaged(run)["name"]} == {network(1).name, network(3).name}
    said = left_out_words(run)
    assert said[0].startswith("1 network that lost a seed is left out: the mean of")
    assert anytime([run], labels=["one"])["best"].min() == 31.5
    for make in (anytime_card, expected_best, distribution, attainment_card):
        card = make(run)
        assert card.sentences[-1] == said[0], card.name


def test_several_are_counted_and_none_is_not_mentioned(tmp_path: Path) -> None:
    two, none = lost(tmp_path / "two", 0, 4), lost(tmp_path / "none")
    said = left_out_words(two, none)
    assert said == (
        f"2 networks that lost a seed are left out of {two.name}: the mean of the seeds that "
        "are left is too good.",
    )
    assert left_out_words(none) == ()


def test_where_all_lost_one_nothing_was_found(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no network was trained whole without losing a seed"):
        anytime([lost(tmp_path, 0, 4, 8)], labels=["one"])
