"""Every card of a run: an answer with its numbers, or the reason why there is none."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from analysis.cards.anytime import anytime_card
from analysis.cards.by_dimension import by_dimension
from analysis.cards.card import Card
from analysis.cards.deck import OF_A_RUN
from analysis.cards.expected_best import expected_best
from analysis.cards.fidelity import fidelity_card
from analysis.cards.importance import importance_card
from analysis.cards.networks_compared import compared_card
from analysis.cards.notebook import written
from analysis.cards.own import own_card
from analysis.cards.pairs import pairs_card
from analysis.cards.space import distribution, lines, values
from analysis.runs.run import Run, read_run
from search.study.events import Status
from tests.analysis.made import AXES, OVERRIDES, made, network, seeded
from tests.analysis.questions.test_fidelity import curved, studied
from tests.analysis.questions.test_importance import SPACE, by_scale
from tests.analysis.questions.test_rates import SPACE as RATES
from tests.analysis.questions.test_rates import error_with
from tests.analysis.questions.test_sampling import tried
from tests.analysis.questions.test_zero_cost import tried as of_scores
from tests.analysis.studied import write_run

CLAIMING = {pairs_card, importance_card, own_card}  # each with its share of 5 %
Make = Callable[[Run], Card]


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("sampled")
    return read_run(write_run(folder, by_scale, text=SPACE))


@pytest.fixture(scope="module")
def runs(sampled: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, ...]:
    """A sample of a space, networks with curves, few, axes, contrasts, scores, rates."""
    folder = tmp_path_factory.mktemp("runs")
    several = studied(folder / "many", curved())
    few = made(folder / "few", seeded(), *OVERRIDES)
    rows = [
        {"network": network(2, depth=20, scale=scale), "seed": 1, "val_error": 60.0 - scale,
         "test_error": 60.0 - scale}
        for scale in (1, 2, 3)
    ]  # fmt: skip
    axes = made(folder / "axes", rows, text=AXES)
    asked = f"analysis.contrasts={{mine: {{{network(3).name}: 1, {network(2).name}: -1}}}}"
    own = made(folder / "own", seeded(), *OVERRIDES, asked)
    scored = of_scores(folder / "scored", use=1.0)
    rated = read_run(write_run(folder / "rated", error_with(-1.5, 0.2), text=RATES))
    return sampled, several, few, axes, own, scored, rated


@pytest.fixture(scope="module")
def card_of(runs: tuple[Run, ...]) -> Iterator[Callable[[Make, int], Card]]:
    """A card of one of the runs, made once; a few resamples give numbers like any others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analysis.cards.importance._RESAMPLES", 3)
        yield cache(lambda make, place: make(runs[place]))


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("make", OF_A_RUN, ids=lambda make: make.__name__)
def test_cards_are_written_out_and_few_claim_anything(
    make: Make, every: bool, runs: tuple[Run, ...], card_of: Callable[[Make, int], Card]
) -> None:
    """A figure is drawn of every run, or of the first one that has it."""
    answered, drawn = False, set()
    for place in range(len(runs)):
        card = card_of(make, place)
        answered |= not card.refused
        assert make in CLAIMING or not card.claims
        for shown in card.shown:
            table = written(shown)
            assert len(table.columns) == len(shown.columns)
            assert shown.caption
            assert (shown.draw is None) == (shown.alt == "")
            if shown.draw and (every or shown.name not in drawn):
                assert shown.draw().axes
                drawn.add(shown.name)
    assert answered


def test_names_are_of_one_card(card_of: Callable[[Make, int], Card]) -> None:
    cards = [card_of(make, 0) for make in OF_A_RUN]
    names = [card.name for card in cards] + [one.name for card in cards for one in card.shown]
    assert len({*names}) == len(names)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (by_dimension, "its sampler was tpe"),
        (distribution, "its sampler was tpe"),
        (expected_best, "its sampler was tpe"),
        (compared_card, "share 1 seed"),
    ],
)
def test_what_the_data_do_not_carry_is_refused(make: Make, reason: str, tmp_path: Path) -> None:
    card = make(tried(tmp_path, "search.sampler=tpe", "search.trials=12"))
    assert reason in card.refused


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (by_dimension, "1 network(s) were trained whole"),
        (lines, "one network was trained whole"),
        (values, "one network was trained whole"),
        (distribution, "fewer than two networks were trained whole"),
        (fidelity_card, "1 network(s) were trained whole"),
    ],
)
def test_one_network_answers_nothing_of_a_space(
    make: Make, reason: str, tmp_path: Path
) -> None:
    run = made(tmp_path, [{"network": network(1), "val_error": 9.0, "test_error": 9.0}])
    assert reason in make(run).refused


def test_without_a_network_nothing_was_found(tmp_path: Path) -> None:
    run = made(tmp_path, [{"network": network(1), "status": Status.FAILED}])
    assert "nothing was found" in anytime_card(run).refused


def test_means_by_value_are_no_effects(sampled: Run) -> None:
    card = values(sampled)
    assert "These are not effects" in card.sentences[0]
    assert "These are not effects" in card.shown[0].caption


def test_the_ceiling_and_what_is_shared_are_said(tmp_path: Path) -> None:
    one, two = (studied(tmp_path / str(n), curved(seeds=n)) for n in (1, 2))
    card = fidelity_card(two)
    assert any("that is the noise ceiling" in said for said in card.sentences)
    assert "share the luck of their seeds" in card.shown[0].caption
    assert "rank them otherwise; let the run go on" in " ".join(fidelity_card(one).sentences)


def test_of_trials_stopped_early_it_is_said(tmp_path: Path) -> None:
    rows = curved()
    for row in rows[10:]:
        del row["val_error"], row["test_error"]
        row |= {"status": Status.PRUNED, "curve": row["curve"][:3]}
    card = fidelity_card(studied(tmp_path, rows, "scheduler=asha"))
    assert "only those that reached the end count" in card.shown[0].caption
    assert "exact: too few networks for an interval" in " ".join(card.sentences)


def test_few_seeds_are_said_to_see_little(tmp_path: Path) -> None:
    said = " ".join(compared_card(studied(tmp_path, curved())).sentences)
    assert "need not be alike" in said
    assert "Friedman's test that all networks are alike has p" in said


def test_cells_are_written_as_the_report_writes_them(sampled: Run) -> None:
    shown = expected_best(sampled).shown[0]
    table = written(shown)
    assert table["k"].tolist()[:2] == ["1", "2"]
    title = next(name for name in table if name.startswith("expected best"))
    assert table[title][0] == f"{shown.table['expected'][0]:.2f}"
    assert table["95 % low"].iloc[-1] == ""
    assert json.dumps(table.to_dict("list"))
    assert np.isnan(shown.table["low"].iloc[-1])
