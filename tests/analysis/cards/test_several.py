"""Every card of several runs: an answer with its numbers, or the reason why there is none."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from analysis.cards.card import Card
from analysis.cards.deck import OF_A_RUN, OF_RUNS, OF_SOME_RUNS
from analysis.cards.notebook import written
from analysis.runs.run import Run
from search.study.events import Status
from tests.analysis.made import made, network
from tests.analysis.questions.test_isoflop import lengths
from tests.analysis.questions.test_overlay import sampled

Make = Callable[[Sequence[Run]], Card]
OF_SEVERAL = (*OF_RUNS, *(make for _, make in OF_SOME_RUNS))


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> list[list[Run]]:
    folder = tmp_path_factory.mktemp("several")
    repeated = [sampled(folder / str(i), i, f"search.seed={i}", "study=same") for i in range(3)]
    return [repeated, lengths(folder)]


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("make", OF_SEVERAL, ids=lambda make: make.__name__)
def test_cards_are_written_out(make: Make, every: bool, answered: list[list[Run]]) -> None:
    """A figure is drawn of all runs, or of the first ones that have it."""
    drawn = set()
    for runs in answered:
        card = make(runs)
        for shown in card.shown:
            assert len(written(shown).columns) == len(shown.columns)
            assert shown.caption
            assert (shown.draw is None) == (shown.alt == "")
            if shown.draw and (every or shown.name not in drawn):
                assert shown.draw().axes
                drawn.add(shown.name)


@pytest.mark.slow
def test_names_are_of_one_card(answered: list[list[Run]]) -> None:
    cards = [make(runs) for make in OF_SEVERAL for runs in answered]
    answers = {card.name: card for card in cards if not card.refused}
    assert len({card.name for card in cards}) == len(OF_SEVERAL)
    of_a_run = {card.name for card in (make(answered[0][0]) for make in OF_A_RUN)}
    assert not of_a_run & {*answers}
    names = [one.name for card in answers.values() for one in card.shown]
    assert len({*names}) == len(names)
    assert {*answers} >= {"overlay", "improvement", "repeated", "isoflop"}


@pytest.mark.parametrize("make", OF_SEVERAL, ids=lambda make: make.__name__)
def test_runs_without_a_network_are_refused(make: Make, tmp_path: Path) -> None:
    runs = [
        made(tmp_path / name, [{"network": network(1), "status": Status.FAILED}])
        for name in "ab"
    ]
    assert make(runs).refused
